# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_palitra_global_optspecs
    string join \n h/help V/version
end

function __fish_palitra_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_palitra_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_palitra_using_subcommand
    set -l cmd (__fish_palitra_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c palitra -n "__fish_palitra_needs_command" -s h -l help -d 'Print help'
complete -c palitra -n "__fish_palitra_needs_command" -s V -l version -d 'Print version'
complete -c palitra -n "__fish_palitra_needs_command" -f -a "jobs" -d 'Lists jobs with their documentation, formats and types'
complete -c palitra -n "__fish_palitra_needs_command" -f -a "run" -d 'Runs a job and prints its reply, and its items as they come'
complete -c palitra -n "__fish_palitra_needs_command" -f -a "bench" -d 'Runs a job again and again, and prints how many a second end and how long they take'
complete -c palitra -n "__fish_palitra_needs_command" -f -a "bindgen" -d 'Writes typed wrappers of the jobs of a library for another language'
complete -c palitra -n "__fish_palitra_needs_command" -f -a "new" -d 'Makes a crate of jobs to start from, which builds, tests itself, and is called from C and Python'
complete -c palitra -n "__fish_palitra_needs_command" -f -a "completions" -d 'Prints what has a shell complete the command: source it, or put it where the shell looks'
complete -c palitra -n "__fish_palitra_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c palitra -n "__fish_palitra_using_subcommand jobs" -s l -l library -d 'The library of jobs: a file, or a name that the system\'s loader finds' -r
complete -c palitra -n "__fish_palitra_using_subcommand jobs" -l json -d 'Prints the library\'s own description, with the JSON Schemas'
complete -c palitra -n "__fish_palitra_using_subcommand jobs" -s h -l help -d 'Print help'
complete -c palitra -n "__fish_palitra_using_subcommand run" -s l -l library -d 'The library of jobs: a file, or a name that the system\'s loader finds' -r
complete -c palitra -n "__fish_palitra_using_subcommand run" -s t -l timeout -d 'Cancels the job after so many seconds' -r
complete -c palitra -n "__fish_palitra_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c palitra -n "__fish_palitra_using_subcommand bench" -s l -l library -d 'The library of jobs: a file, or a name that the system\'s loader finds' -r
complete -c palitra -n "__fish_palitra_using_subcommand bench" -s s -l seconds -d 'How long calls are submitted' -r
complete -c palitra -n "__fish_palitra_using_subcommand bench" -s n -l in-flight -d 'How many calls are in flight at a time' -r
complete -c palitra -n "__fish_palitra_using_subcommand bench" -l svg -d 'Draws the histogram into a file, as SVG' -r -F
complete -c palitra -n "__fish_palitra_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c palitra -n "__fish_palitra_using_subcommand bindgen" -s t -l lang -d 'The language' -r -f -a "c\t''
cpp\t''
go\t''
python\t''
typescript\t''"
complete -c palitra -n "__fish_palitra_using_subcommand bindgen" -s o -l output -d 'The folder for what is written' -r -F
complete -c palitra -n "__fish_palitra_using_subcommand bindgen" -l name -d 'The name of the module, package or namespace; that of the library if left out' -r
complete -c palitra -n "__fish_palitra_using_subcommand bindgen" -l only -d 'Only jobs whose name begins so; palitra\'s own are left out unless they are asked for' -r
complete -c palitra -n "__fish_palitra_using_subcommand bindgen" -s h -l help -d 'Print help'
complete -c palitra -n "__fish_palitra_using_subcommand new" -l palitra -d 'A checkout of palitra, as seen from the crate' -r
complete -c palitra -n "__fish_palitra_using_subcommand new" -l git -d 'A git repository of palitra, instead of a checkout' -r
complete -c palitra -n "__fish_palitra_using_subcommand new" -s h -l help -d 'Print help'
complete -c palitra -n "__fish_palitra_using_subcommand completions" -s h -l help -d 'Print help'
complete -c palitra -n "__fish_palitra_using_subcommand help; and not __fish_seen_subcommand_from jobs run bench bindgen new completions help" -f -a "jobs" -d 'Lists jobs with their documentation, formats and types'
complete -c palitra -n "__fish_palitra_using_subcommand help; and not __fish_seen_subcommand_from jobs run bench bindgen new completions help" -f -a "run" -d 'Runs a job and prints its reply, and its items as they come'
complete -c palitra -n "__fish_palitra_using_subcommand help; and not __fish_seen_subcommand_from jobs run bench bindgen new completions help" -f -a "bench" -d 'Runs a job again and again, and prints how many a second end and how long they take'
complete -c palitra -n "__fish_palitra_using_subcommand help; and not __fish_seen_subcommand_from jobs run bench bindgen new completions help" -f -a "bindgen" -d 'Writes typed wrappers of the jobs of a library for another language'
complete -c palitra -n "__fish_palitra_using_subcommand help; and not __fish_seen_subcommand_from jobs run bench bindgen new completions help" -f -a "new" -d 'Makes a crate of jobs to start from, which builds, tests itself, and is called from C and Python'
complete -c palitra -n "__fish_palitra_using_subcommand help; and not __fish_seen_subcommand_from jobs run bench bindgen new completions help" -f -a "completions" -d 'Prints what has a shell complete the command: source it, or put it where the shell looks'
complete -c palitra -n "__fish_palitra_using_subcommand help; and not __fish_seen_subcommand_from jobs run bench bindgen new completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
