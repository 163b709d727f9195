# needs PROGRAM…: ends with 1 and says how to install what is missing. For sourcing.
needs() {
    local program missing=""
    for program; do type -P "$program" >/dev/null || missing="$missing $program"; done
    [ -z "$missing" ] || { echo "missing:$missing — apt-get install nginx-light zstd curl python3 strace"; exit 1; }
}
