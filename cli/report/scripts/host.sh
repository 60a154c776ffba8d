# shellcheck shell=sh
# What the host says of itself for `npx oslo-faas report compliance`, as lines KEY=VALUE; a key may come more than once. It only reads.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

# Places that apt fetches from.
# shellcheck disable=SC2016 # apt fills it in
timeout 20 apt-get indextargets --format '$(SITE)' 2>/dev/null | sort -u | sed 's/^/apt=/'

# Time servers of the service that runs; the one in use, where it says so.
if systemctl is-active --quiet chrony; then
  cat /etc/chrony/chrony.conf /etc/chrony/conf.d/*.conf /etc/chrony/sources.d/*.sources 2>/dev/null |
    awk '$1 == "server" || $1 == "pool" || $1 == "peer" { print "time=" $2 }' | sort -u
elif systemctl is-active --quiet systemd-timesyncd; then
  server=$(timedatectl show-timesync --value --property=ServerName 2>/dev/null)
  if [ -n "$server" ]; then
    echo "time=$server"
  else
    cat /etc/systemd/timesyncd.conf /etc/systemd/timesyncd.conf.d/*.conf 2>/dev/null |
      sed -n 's/^\(Fallback\)\{0,1\}NTP=//p' | tr -s ' ' '\n' | sed '/^$/d; s/^/time=/'
  fi
fi

# Who looks names up: the servers behind the stub of systemd-resolved, where there is one.
resolv=/run/systemd/resolve/resolv.conf
[ -r "$resolv" ] || resolv=/etc/resolv.conf
awk '$1 == "nameserver" { print "dns=" $2 }' "$resolv" 2>/dev/null

cat /etc/systemd/journald.conf /etc/systemd/journald.conf.d/*.conf 2>/dev/null |
  sed -n 's/^\(MaxRetentionSec\|SystemMaxUse\|RuntimeMaxUse\|Storage\)=\(..*\)/journald.\1=\2/p'

# The last word counts, as for logrotate itself.
awk '$1 == "daily" || $1 == "weekly" || $1 == "monthly" { print "logs.every=" $1 }
  $1 == "rotate" { print "logs.kept=" $2 }
  $1 == "maxage" { print "logs.days=" $2 }' /etc/logrotate.d/nginx 2>/dev/null

# Whether what Docker keeps is on an encrypted disk. Inside of a container nobody can say.
source=$(findmnt -no SOURCE -T /var/lib/docker 2>/dev/null)
case $source in
  /dev/*) if lsblk -nso TYPE "${source%%\[*}" 2>/dev/null | grep -q crypt; then echo disk=encrypted; else echo disk=plain; fi ;;
esac

sshd -T 2>/dev/null | awk '$1 == "passwordauthentication" { print "ssh.password=" $2 }'
apt-config shell value APT::Periodic::Unattended-Upgrade 2>/dev/null | sed -n "s/^value='\(.*\)'/updates=\1/p"
exit 0
