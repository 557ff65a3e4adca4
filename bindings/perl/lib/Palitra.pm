package Palitra;

use v5.26;
use warnings;
use Exporter 'import';
use Palitra::Error;
use Palitra::Library;
use Palitra::Runner;

our $VERSION   = '0.2.0';
our @EXPORT_OK = qw(run gather submit stream);

my %loaded;
my $shipped;
my $global;

# A library of jobs. The same path is the same library.
sub load {
    my ($path) = @_;
    return $loaded{$path} //= Palitra::Library->open($path);
}

# The library that PALITRA_LIBRARY names, or the one that the system finds.
sub library {
    return $shipped //= load( $ENV{PALITRA_LIBRARY} || 'libpalitra.so.1' );
}

sub _global {
    return $global //= Palitra::Runner->global( library() );
}

sub run { my @given = @_; return _global()->run(@given) }

sub gather { my @given = @_; return _global()->gather(@given) }

sub submit { my @given = @_; return _global()->submit(@given) }

sub stream { my @given = @_; return _global()->stream(@given) }

sub stats { return _global()->stats }

sub jobs { return library()->jobs }

sub configure { return library()->configure( $_[0] ) }

sub fd { return library()->fd }

sub dispatch { return library()->dispatch }

sub is_runner_alive { return _global()->is_alive }

sub shutdown_global_runner { my @given = @_; return _global()->shutdown(@given) }

1;

__END__

=encoding utf8

=head1 NAME

Palitra - call async jobs of a Rust library from synchronous Perl

=head1 SYNOPSIS

    use Palitra qw(run gather submit stream);

    my $reply = run('palitra.echo', 'hello');
    my ($page, $other) = gather([['http.get', { url => $url }], ['http.get', { url => $other_url }]], timeout => 10);

    my $job = submit('palitra.sleep', { seconds => 1 });
    my $value = $job->wait;

    my $items = stream('http.stream', { url => $url });
    while (my ($item) = $items->next) { print $item }

=head1 DESCRIPTION

A job is an async function of a Rust library, which runs it on a background thread. A call blocks until its jobs have
finished; L<Palitra::AnyEvent> does not. Times are seconds.

Payloads and replies follow the job's format. A JSON job takes a reference and gives what JSON::PP makes of its reply. A
text job takes and gives characters, a bytes job bytes. A string is any job's payload as it stands, which for a JSON job
means JSON in UTF-8.

=head1 FUNCTIONS

C<run>, C<gather>, C<submit> and C<stream> are exported on request. They use the global runner of the library.

=over

=item run($job, $payload, timeout => $seconds)

Runs a job to its end and returns its reply. Past the timeout the job is cancelled: C<PALITRA_DEADLINE>.

=item gather([[$job, $payload], ...], timeout => $seconds, fail_fast => 1, settled => 1)

Runs jobs beside each other and returns the list of their replies in this order. It throws the first failure when all
have finished; with C<fail_fast> at once, and the rest is cancelled. With C<settled> it returns for each job
C<< { value => ... } >> or C<< { error => ... } >>.

=item submit($job, $payload, timeout => $seconds, stream_items => $n)

Submits a job and returns a C<Palitra::Job>, which runs on if nobody holds it. At most C<stream_items> items wait for a
reader; then the job waits.

=item stream($job, $payload, %options)

The same for a job whose items are read. It is cancelled when nobody holds it any more.

=item load($path)

A library of jobs of your own, for C<< Palitra::Runner->new(library => $library) >>. The same path is the same library.

=item jobs(), configure($config), is_runner_alive(), shutdown_global_runner(grace => $seconds), stats()

What jobs there are, as hashes of C<name>, C<doc>, C<input> and C<output>; the configuration of the runners that are
made from now on; the global runner.

=item fd(), dispatch()

For an event loop that AnyEvent does not cover: it watches the descriptor for reading, never closes it, and calls
C<dispatch>, which calls the callbacks of C<on_ready> and C<on_item>.

=back

=head1 JOBS

=over

=item $job->wait($seconds)

The reply. Past the timeout it throws C<PALITRA_PENDING>, and the job runs on.

=item $job->is_ready, $job->cancel, $job->progress

Whether it has finished; cancels it; how much is done, and how much there is to do.

=item $job->next

The next item as a list of one, an empty list at the end: C<< while (my ($item) = $job->next) >>.

=item $job->take_items

The items that can be read now.

=item $job->on_ready($callback), $job->on_item($callback)

Calls back, with the job when it has finished and with each item, from C<dispatch>.

=back

=head1 RUNNERS

C<< Palitra::Runner->new(library => ..., max_in_flight => ..., max_payload => ..., worker_threads => ...,
max_blocking_threads => ..., name => ..., config => ...) >> makes a runner of its own, which has the methods C<run>,
C<gather>, C<submit>, C<stream>, C<stats>, C<is_alive>, C<shutdown(grace =E<gt> $seconds)> and C<close>.

=head1 ERRORS

What is thrown is a C<Palitra::Error>: C<status>, such as C<"PALITRA_BUSY">, the job's own C<code>, and C<message>.

=head1 SIGNALS, FORKS, THREADS

Waits are cut into slices of 50 ms, between which Perl calls its signal handlers. A handler that dies ends the wait and
cancels the job of C<run> and the jobs of C<gather>; during a shutdown it ends the grace period. A forked child makes
runners of its own; its parent's runners and jobs throw C<PALITRA_FORKED> there. Objects are not cloned into threads of
Perl.

=cut
