"""The fifty tasks of playbook.yml as a pyinfra deploy: keep the two alike."""
from io import StringIO

from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.facts.server import Hostname, LinuxDistribution
from pyinfra.operations import apt, files, server, systemd


def text(content):
    return StringIO(content)


server.group(group="bench", system=True)
server.group(group="benchops", gid=2001)
server.user(user="bench", group="bench", system=True, home="/var/lib/bench", create_home=False, shell="/usr/sbin/nologin")
server.user(user="benchops", uid=2001, group="benchops", groups=["bench"], append=True, shell="/bin/bash")

for path in ["/etc/bench", "/etc/bench/conf.d", "/etc/bench/keys"]:
    files.directory(path=path, mode="755")
files.directory(path="/var/lib/bench", user="bench", group="bench", mode="750")
files.directory(path="/var/log/bench", user="bench", group="adm", mode="2750")
files.directory(path="/opt/bench", mode="755")

files.put(src=text("mode = fast\nlevel = 3\nport = 8080\n"), dest="/etc/bench/bench.ini", mode="644")
files.put(src=text("BENCH_MODE=fast\n"), dest="/etc/default/bench", mode="644")
files.put(src=text("benchops ALL=(ALL) NOPASSWD: /usr/bin/systemctl\n"), dest="/etc/sudoers.d/bench", mode="440")
files.put(src=text("net.core.somaxconn = 1024\n"), dest="/etc/sysctl.d/60-bench.conf", mode="644")
files.put(src="files/bench.logrotate", dest="/etc/logrotate.d/bench", mode="644")
files.put(src="files/bench-run", dest="/opt/bench/bench-run", mode="755")
for part in ["one", "two", "three"]:
    files.put(src=text(f"part {part}\n"), dest=f"/etc/bench/conf.d/{part}.conf", mode="644")
files.put(src="files/bench.pem", dest="/etc/bench/keys/bench.pem", user="root", group="bench", mode="640")
files.put(src="files/bench.service", dest="/etc/systemd/system/bench.service", mode="644")
files.put(src="files/bench.timer", dest="/etc/systemd/system/bench.timer", mode="644")

facts = {
    "ansible_facts": {
        "hostname": host.get_fact(Hostname),
        "distribution": host.get_fact(LinuxDistribution)["name"],
    },
    "inventory_hostname": host.name,
    "greeting": "hello",
    "limits": {"nofile": 4096, "nproc": 512},
}
files.template(src="templates/host.conf.j2", dest="/etc/bench/host.conf", mode="644", **facts)
files.template(src="templates/limits.conf.j2", dest="/etc/bench/limits.conf", mode="644", **facts)
files.template(src="templates/motd.j2", dest="/etc/bench/motd", mode="644", **facts)
files.template(src="templates/worker.conf.j2", dest="/etc/bench/worker-1.conf", mode="644", worker=1, **facts)
files.template(src="templates/worker.conf.j2", dest="/etc/bench/worker-2.conf", mode="644", worker=2, **facts)
files.template(src="templates/profile.sh.j2", dest="/etc/profile.d/bench.sh", mode="644", **facts)

files.line(path="/etc/systemd/journald.conf", line=r"^#?SystemMaxUse=.*$", replace="SystemMaxUse=200M")
for name, number in [("a", 1), ("b", 2)]:
    files.line(path="/etc/hosts", line=f"192.0.2.{number} bench-{name}")
files.line(path="/etc/bash.bashrc", line="HISTSIZE=5000")
files.line(path="/etc/login.defs", line=r"^LOGIN_TIMEOUT.*$", replace="LOGIN_TIMEOUT 90")
files.line(path="/etc/bench/modules", line="overlay")
files.block(path="/etc/ssh/ssh_config.d/bench.conf", content="Host bench-*\n  User bench", try_prevent_shell_expansion=True)
files.block(
    path="/etc/bash.bashrc", content="alias b='systemctl status bench'", try_prevent_shell_expansion=True,
    line="HISTSIZE=5000", after=True)
files.replace(path="/etc/login.defs", text="^UMASK[ \\t]+022$", replace="UMASK 027")

for link in ["bench-run", "bench"]:
    files.link(path=f"/usr/local/bin/{link}", target="/opt/bench/bench-run")
files.link(path="/opt/bench/etc", target="/etc/bench")
files.file(path="/etc/bench/modules", user="bench")
files.file(path="/etc/motd", present=False)
files.file(path="/etc/update-motd.d/10-uname", present=False)

for path, command in [
    ("first", "cp /etc/hostname /var/lib/bench/first"),
    ("second", "cp /etc/hostname /var/lib/bench/second"),
    ("index", "cp /etc/debian_version /var/lib/bench/index"),
    ("seed", "cp /etc/issue /var/lib/bench/seed"),
    ("database", "echo ready > /var/lib/bench/database"),
]:
    if not host.get_fact(File, path=f"/var/lib/bench/{path}"):
        server.shell(commands=[command])

apt.packages(packages=["ca-certificates", "procps", "sudo"])
apt.packages(packages=["telnetd"], present=False)

systemd.service(service="bench.service", running=True, enabled=True)
systemd.service(service="bench.timer", running=True, enabled=True)
systemd.service(service="dbus.service", running=True)
systemd.service(service="ssh.service", running=True, enabled=True)
