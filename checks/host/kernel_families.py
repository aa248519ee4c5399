"""The families of kernel settings, as data: one check each."""

from __future__ import annotations

from checks.host.kernel_settings import Family, Setting, both
from checks.model import Severity, Surface

KERNEL = (
    Family(
        "aslr",
        "The kernel places programs at random addresses",
        "Without random addresses a memory bug in any program becomes code execution at the first try.",
        (Setting("kernel.randomize_va_space", ("2",)),),
        Severity.MEDIUM,
    ),
    Family(
        "log-reading",
        "Only root reads the kernel log",
        "The kernel log holds addresses and device data that make local exploits reliable.",
        (Setting("kernel.dmesg_restrict", ("1",)),),
    ),
    Family(
        "addresses-hidden",
        "The kernel hides its addresses",
        "An attacker with a local account needs kernel addresses for most privilege escalations.",
        (Setting("kernel.kptr_restrict", ("1", "2"), "0"),),
    ),
    Family(
        "ptrace",
        "A program may trace only its own children",
        "Free tracing lets malware in one process read keys and passwords out of all others of the user.",
        (Setting("kernel.yama.ptrace_scope", ("1", "2", "3")),),
    ),
    Family(
        "links",
        "Hard and symbolic links in shared folders are guarded",
        "A link planted in a shared folder makes a privileged program write where the attacker wants.",
        (Setting("fs.protected_hardlinks", ("1",), "0"), Setting("fs.protected_symlinks", ("1",), "0")),
        Severity.MEDIUM,
    ),
    Family(
        "shared-files",
        "Files and pipes that others planted in shared folders are not opened by mistake",
        "A program that writes its file into a shared folder would write into the attacker's, who reads "
        "along.",
        (Setting("fs.protected_fifos", ("1", "2"), "0"), Setting("fs.protected_regular", ("1", "2"), "0")),
    ),
    Family(
        "core-dumps",
        "Privileged programs leave no core dumps",
        "The core of a privileged program holds what it had in memory: password hashes and keys.",
        (Setting("fs.suid_dumpable", ("0",), "0"),),
        Severity.MEDIUM,
    ),
    Family(
        "bpf",
        "Ordinary users load no BPF programs",
        "The BPF verifier has been the source of a row of local root exploits.",
        (Setting("kernel.unprivileged_bpf_disabled", ("1", "2")),),
        Severity.MEDIUM,
    ),
    Family(
        "bpf-compiler",
        "The compiler of BPF programs hides the constants that it is given",
        "Constants that an attacker chooses become machine code at a known place, ready to be jumped to.",
        (Setting("net.core.bpf_jit_harden", ("2", "1")),),
    ),
    Family(
        "performance-events",
        "Ordinary users do not measure the kernel",
        "The interface for performance events has had holes that gave root, and it leaks what others "
        "compute.",
        (Setting("kernel.perf_event_paranoid", ("3", "2", "4")),),
    ),
    Family(
        "other-kernels",
        "Nobody starts another kernel from the running one",
        "Who becomes root starts a kernel of their own with it, past secure boot and every lock of this one.",
        (Setting("kernel.kexec_load_disabled", ("1",), "0"),),
    ),
    Family(
        "magic-keys",
        "The magic keys do no more than save the disks and restart",
        "At a console, also that of a hypervisor, these keys end programs and show memory without a login.",
        # 16, 32 and 128: sync, remount read-only, and restart.
        (Setting("kernel.sysrq", ("0", "16", "32", "48", "128", "144", "160", "176")),),
    ),
    Family(
        "line-disciplines",
        "Ordinary users load no drivers of terminals",
        "Old drivers of terminals are loaded when a program asks for them, and have had holes that gave "
        "root.",
        (Setting("dev.tty.ldisc_autoload", ("0",)),),
    ),
    Family(
        "page-faults",
        "Ordinary users do not hold the kernel at a page fault",
        "A program that stops the kernel at a chosen moment turns narrow races into reliable exploits.",
        (Setting("vm.unprivileged_userfaultfd", ("0",)),),
    ),
    Family(
        "lowest-address",
        "No program maps the lowest addresses",
        "With a page at address zero every null pointer in the kernel runs what the attacker put there.",
        (Setting("vm.mmap_min_addr", ("65536", "32768", "98304", "131072")),),
    ),
)
"""Settings of the kernel as a whole; containers share them with their machine."""

NETWORK = (
    Family(
        "syn-cookies",
        "SYN cookies keep services reachable under a SYN flood",
        "Without them a single sender of half-open connections takes the services of the host away.",
        (Setting("net.ipv4.tcp_syncookies", ("1", "2"), "1"),),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    Family(
        "redirects-accepted",
        "The host accepts no ICMP redirects",
        "A forged redirect leads the traffic of the host through the machine of an attacker in the segment.",
        (
            *both("ipv4", "accept_redirects", "0", default="1"),
            *both("ipv6", "accept_redirects", "0", default="1"),
        ),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    Family(
        "redirects-sent",
        "The host sends no ICMP redirects",
        "Only routers send redirects; a host that does helps to map and to misdirect its neighbours.",
        both("ipv4", "send_redirects", "0", default="1"),
        surface=Surface.DATA,
    ),
    Family(
        "source-routes",
        "The host refuses source-routed packets",
        "A sender that chooses the route gets around filters and speaks from addresses that are not its own.",
        (
            Setting("net.ipv4.conf.all.accept_source_route", ("0",), "0"),
            Setting("net.ipv4.conf.default.accept_source_route", ("0",), "1"),
            *both("ipv6", "accept_source_route", "0", "-1", default="0"),
        ),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    Family(
        "reverse-path",
        "Packets with impossible senders are dropped",
        "Without the check forged sender addresses pass, and rules that trust inner addresses with them.",
        both("ipv4", "rp_filter", "1", "2", default="0"),
        Severity.MEDIUM,
        Surface.DATA,
    ),
    Family(
        "broadcast-ping",
        "The host answers no pings to broadcast addresses",
        "Answers to a broadcast ping with a forged sender amplify an attack on that sender.",
        (Setting("net.ipv4.icmp_echo_ignore_broadcasts", ("1",), "1"),),
        surface=Surface.DATA,
    ),
)
"""Settings of the network that go by ids of the kernel."""

NETWORK_STACK = (
    Family(
        "gateway-redirects",
        "The host accepts no ICMP redirects from its gateways either",
        "An attacker in the segment forges the sender of a redirect, so that one of a gateway proves "
        "nothing.",
        both("ipv4", "secure_redirects", "0", default="1"),
        surface=Surface.DATA,
    ),
    Family(
        "odd-packets",
        "Packets with impossible addresses are logged",
        "Forged packets are the trace of a scan or of a wrong route, and without a log nobody sees them.",
        both("ipv4", "log_martians", "1", default="0"),
        surface=Surface.DATA,
    ),
    Family(
        "bogus-errors",
        "Malformed ICMP errors are ignored",
        "Some routers answer broadcasts with broken errors, each of which would be a line in the log.",
        (Setting("net.ipv4.icmp_ignore_bogus_error_responses", ("1",), "1"),),
        surface=Surface.DATA,
    ),
    Family(
        "router-advertisements",
        "The host takes no address and no route from router advertisements",
        "Any machine in the segment sends such an advertisement and becomes the gateway of all that listen.",
        both("ipv6", "accept_ra", "0", default="1"),
        surface=Surface.DATA,
    ),
)
"""Settings of the network that go by ids of the network stack."""
