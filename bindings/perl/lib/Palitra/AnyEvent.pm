package Palitra::AnyEvent;

use v5.26;
use warnings;
use AnyEvent;
use Palitra;

# The watcher of each library's descriptor, with its process: a child has a descriptor of its own and releases its
# parent's.
my %watchers;

sub watch {
    my ($library) = @_;
    return if ( $watchers{$library}{pid} // 0 ) == $$;
    my $watcher = AnyEvent->io( fh => $library->fd, poll => 'r', cb => sub { $library->dispatch } );
    $watchers{$library} = { pid => $$, watcher => $watcher };
    return;
}

# A condvar of a job's end: its `recv` returns the reply or throws the failure.
sub condvar_of {
    my ($job) = @_;
    watch( $job->library );
    my $condvar = AnyEvent->condvar;
    $job->on_ready(
        sub {
            my ($job) = @_;
            my $value;
            eval { $value = $job->wait; 1 } ? $condvar->send($value) : $condvar->croak($@);
        }
    );
    return $condvar;
}

sub run {
    my @given = @_;
    return condvar_of( Palitra::submit(@given) );
}

sub each_item {
    my ( $job, $payload, $callback, %options ) = @_;
    my $streaming = Palitra::submit( $job, $payload, %options );
    my $condvar   = condvar_of($streaming);
    $streaming->on_item($callback);
    return $condvar;
}

1;

__END__

=head1 NAME

Palitra::AnyEvent - jobs as condvars of AnyEvent

=head1 SYNOPSIS

    use AnyEvent;
    use Palitra::AnyEvent;

    my $page = Palitra::AnyEvent::run('http.get', { url => $url }, timeout => 10);
    $page->cb(sub { say $_[0]->recv->{status} });

    my $end = Palitra::AnyEvent::each_item('http.stream', { url => $url }, sub { print $_[0] });
    $end->recv;

=head1 FUNCTIONS

=over

=item run($job, $payload, %options)

A condvar. Its C<recv> returns the reply of the job or throws its failure. The options are those of C<Palitra::submit>.

=item each_item($job, $payload, $callback, %options)

Calls back with each item of a streaming job. The condvar is ready when the job has finished.

=item condvar_of($job)

A condvar for a C<Palitra::Job>, of any library and any runner.

=back

=cut
