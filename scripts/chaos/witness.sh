# A job that watches what it is promised: sh witness.sh SECONDS ENDING, with CHAOS_STORE in its environment.
# Behind each resource that it was given stands a file that says who uses it. Whoever begins while the process that is
# named there is still alive has found two holders at once, and writes it down.
store=$CHAOS_STORE
now_alive() { # PID START: whether that very process lives
  [ -e "/proc/$1/stat" ] || return 1
  { read -r line < "/proc/$1/stat"; } 2>/dev/null || return 1
  set -- "$2" ${line##*) }
  [ "$2" != Z ] && [ "$2" != X ] && [ "${21}" = "$1" ]
}
read -r me < /proc/$$/stat
set -- "$1" "$2" ${me##*) }
seconds=$1 ending=$2 started=${22}
fences=${INTERLOCK_FENCES#\{}
fences=${fences%\}}
IFS=,
for pair in $fences; do
  unset IFS
  resource=${pair%\":*}
  resource=${resource#\"}
  fence=${pair##*:}
  case $resource in model:wide*) continue ;; esac
  if { read -r pid start seen job < "$store/$resource"; } 2>/dev/null; then
    if [ "${seen:-0}" -gt "$fence" ]; then
      echo "$resource $INTERLOCK_JOB_ID $fence refused after $seen" >> "$store/refused"
      exit 75
    fi
    if now_alive "$pid" "$start"; then
      read -r uptime rest < /proc/uptime
      echo "$resource $INTERLOCK_JOB_ID $INTERLOCK_TOKEN $job $seen $pid $uptime" >> "$store/overlaps"
    fi
  fi
  echo "$$ $started $fence $INTERLOCK_JOB_ID" > "$store/$resource"
done
echo "begin $INTERLOCK_JOB_ID $INTERLOCK_TOKEN $$" >> "$store/journal"
[ "$ending" = deaf ] && trap '' TERM
sleep "$seconds"
case $ending in
  fail) echo "end $INTERLOCK_JOB_ID $INTERLOCK_TOKEN" >> "$store/journal"; exit 1 ;;
esac
echo "end $INTERLOCK_JOB_ID $INTERLOCK_TOKEN" >> "$store/journal"
echo "{\"token\": $INTERLOCK_TOKEN}"
