"""What is known of flaws and support beside the targets: feeds, imported, kept and looked up."""
