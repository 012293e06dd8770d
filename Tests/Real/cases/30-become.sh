# sudo with a password, which shows nowhere.
. Tests/Real/expect.sh
password=$(sed -n 's/.*ansible_become_password: *//p' "$WORK/hosts.yml" | head -n 1 | tr -d "\"'")
[[ -n $password ]]
status 0 gantry run ops -i "$WORK/hosts.yml" -- id -un
says ops
status 0 gantry run ops -i "$WORK/hosts.yml" -b -vvvv -- id -un
says root
silent "$password"
status 0 gantry run ops -i "$WORK/hosts.yml" -b --become-user nobody -- id -un
says nobody
status 2 gantry run ops -i "$WORK/hosts.yml" -b -e ansible_become_password=wrong-one -- id -un
says 'Incorrect sudo password'
silent wrong-one
status 0 gantry run real-1 -i "$WORK/hosts.yml" -b --become-user nobody -- id -un
says nobody
