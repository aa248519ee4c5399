"""Ways to reach a target: SSH, this machine, AWS, nmap, packets."""
