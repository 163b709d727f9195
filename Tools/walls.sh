#!/bin/bash
# Checks the walls of the house: who may touch C, and who may import whom. Prints what is wrong, and exits with 1.
set -u
cd "$(dirname "$0")/.." || exit 1
bad=0

hits=$(grep -rnE '^(@.* )?((public|package|internal|private) )?import C[A-Z]|^(@.* )?((public|package|internal|private) )?import (Glibc|Musl)|(^|[^a-zA-Z_"`.])unsafe ([a-zA-Z(&]|\{)' \
    Sources --include='*.swift' | grep -v '^Sources/Native/' | grep -vE '^[^:]+:[0-9]+: *//|:[0-9]+:.*//.*unsafe')
if [ -n "$hits" ]; then echo "move this into a wrapper under Sources/Native:"; echo "$hits"; bad=1; fi

# A room imports only from floors below its own. The floor of each wing, from the data's way:
floor() {
    case "$1" in
        StageClock) echo 9;;
        PageMemory|Disk|Console) echo 10;;
        RecordScan|CurlTransport|ArchiveWriting|Sealing|StateDisk) echo 11;;
        Model) echo 12;;
        Reporting|Sanitizing|Connector|Ledger) echo 20;;
        PipelineFile|KeyRing) echo 21;;
        Telemetry) echo 22;;
        Extract|Transform|Load) echo 30;;
        Runner) echo 40;;
        cogni|cogni-simulator) echo 50;;
        *) echo 0;;
    esac
}
for folder in Sources/*/*/; do
    room=$(basename "$folder")
    own=$(floor "$room")
    [ "$own" = 0 ] && { case "$room" in C[A-Z]*) continue;; esac; echo "$room has no floor: add it to Tools/walls.sh"; bad=1; continue; }
    for other in $(grep -rhoE '^((public|package|internal|private|@testable) )?import [A-Za-z_]+' "$folder" --include='*.swift' | awk '{print $NF}' | sort -u); do
        height=$(floor "$other")
        [ "$height" = 0 ] && continue
        if [ "$height" -ge "$own" ]; then echo "$room (floor $own) imports $other (floor $height)"; bad=1; fi
    done
done
# Vendors' names belong into connector files.
hits=$(grep -rniE '"[^"]*(/organization/|openai\.com|anthropic|OPENAI_ADMIN_KEY|OPENAI_BASE|gpt-[0-9])' Sources --include='*.swift' | grep -vE '^Sources/Desk/cogni-simulator/|^[^:]+:[0-9]+: *//')
if [ -n "$hits" ]; then echo "a vendor's path, host, variable or field in Swift; it belongs into a connector file:"; echo "$hits"; bad=1; fi
# One door for whatever leaves the process: each way out stands in named files only, and those pass the sanitizer first.
only() { # what, pattern, allowed files (a regular expression)
    hits=$(grep -rnE "$2" Sources --include='*.swift' | grep -vE "^($3):" | grep -vE '^[^:]+:[0-9]+: *//')
    if [ -n "$hits" ]; then echo "$1:"; echo "$hits"; bad=1; fi
}
only 'write to the terminal through Terminal, which sanitizes' 'Console\.write' 'Sources/Desk/cogni/Terminal\.swift'
only 'rows in the clear leave by `preview` and `decrypt` alone' 'Terminal\.data\(' 'Sources/Desk/cogni/(Commands/Preview|OpenedSink)\.swift'
only 'print nothing: text leaves through Terminal' \
    '(^|[^a-zA-Z_.])(print|debugPrint|dump|NSLog|fputs|puts|printf|fprintf|perror|syslog)\(|FileHandle\.standard(Output|Error)|NSLog|os_log' \
    'Sources/Desk/cogni-simulator/[A-Za-z]+\.swift'
only 'only these write to descriptors' 'Glibc\.write\(|[^.a-zA-Z_]write\([a-z]+(End|\.mailbox|File)' \
    'Sources/Native/(Console/(Console|Signals)|Disk/[A-Za-z]+|Sealing/(PrivateFile|KeyCommand)|CurlTransport/[A-Za-z]+)\.swift'
only 'a secret is revealed only where it goes over the wire or is looked for' '\.reveal\(\)' \
    'Sources/(Stages/Extract/LiveTransport|House/Sanitizing/KnownValues|House/Telemetry/WebhookKey|House/Telemetry/Courier|House/KeyRing/MasterKey(\+Sources)?)\.swift'
# Crash text has no sanitizer: it says constants only, and `try!` would print an error with all that is in it.
only 'a crash must not print values' '(fatalError|precondition|preconditionFailure|assert|assertionFailure)\(.*\\\(|(^|[^a-zA-Z_.])try! ' 'Sources/Desk/cogni-simulator/[A-Za-z]+\.swift'
[ $bad = 0 ] && echo "walls: fine"
exit $bad
