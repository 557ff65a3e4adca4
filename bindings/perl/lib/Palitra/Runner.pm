# A runner: a background thread of a library that runs jobs.
package Palitra::Runner;

use v5.26;
use warnings;
use Time::HiRes qw(clock_gettime usleep CLOCK_MONOTONIC);
use Palitra::Error;
use Palitra::Job;
use Palitra::Native qw(OK PENDING NO_ITEMS INLINE_ONLY FAIL_FAST FREE_TOKENS SLICE
    nanoseconds memory replies reply_at pack_submit_options);

my @COUNTS  = qw(worker_threads max_blocking_threads max_in_flight max_payload);
my %OPTIONS = map { $_ => 1 } @COUNTS, qw(library name config);

sub CLONE_SKIP { return 1 }

# Makes a runner. The options are those of palitra_runner_options, `name`, `config` and `library`.
sub new {
    my ( $class, %options ) = @_;
    for my $option ( keys %options ) {
        $OPTIONS{$option} or Palitra::Error->refuse("a runner has no option $option");
    }
    for my $option (@COUNTS) {
        my $count = $options{$option} //= 0;
        $count =~ /^[0-9]{1,15}$/ or Palitra::Error->refuse("$option is a count, not $count");
    }
    my $library = $options{library} // Palitra::library();
    my $config  = $library->json_of( $options{config}, 'the configuration' );
    my ( $workers, $blocking, $in_flight, $payload ) = @options{@COUNTS};
    my $given = pack 'LLLLpQQQQ4qp', 96, $workers, $blocking, 0, $options{name}, 0, $in_flight, $payload, 0, 0, 0, 0,
        0, $config;
    $library->check( $library->native->{runner_new}->( $given, \my $id ) );
    return bless { library => $library, native => $library->native, id => $id, pid => $$ }, $class;
}

# The runner that a library has for every program, made anew if it was shut down.
sub global {
    my ( $class, $library ) = @_;
    return bless { library => $library, native => $library->native, is_global => 1 }, $class;
}

sub DESTROY {
    my ($self) = @_;
    return if ${^GLOBAL_PHASE} eq 'DESTRUCT' || $self->{is_global};
    $self->close;
    return;
}

sub library { return $_[0]{library} }

sub id {
    my ($self) = @_;
    $self->{library}->check( $self->{native}{runner_global}->( \$self->{id} ) ) if $self->{is_global};
    return $self->{id};
}

# ---- one job

my $AT_ONCE = pack_submit_options( NO_ITEMS | INLINE_ONLY, 0, 0, 0 );

# Runs a job to its end and returns its reply. Past `timeout`, in seconds, it is cancelled: PALITRA_DEADLINE.
sub run {
    my ( $self, $name, $payload, %options ) = @_;
    my $library = $self->{library};
    my $data    = $library->encode( $name, $payload );
    my ( $memory, $reply ) = replies(1);
    my $deadline = nanoseconds( $options{timeout}, 0 );
    my $given    = $deadline ? pack_submit_options( NO_ITEMS | INLINE_ONLY, $deadline, 0, 0 ) : $AT_ONCE;
    my $status
        = $self->{native}{runner_start}->( $self->id, $name, $data, length $data, $given, \my $token, $reply );
    return $library->value($reply) if $status != PENDING;
    $self->{native}{reply_free}->($reply);
    return Palitra::Job->adopt( $library, $token )->bind->wait;
}

# Submits a job: a Palitra::Job. Options: `timeout`, and `stream_items`, how many items wait for a reader.
sub submit {
    my ( $self, @given ) = @_;
    return Palitra::Job->submit( $self, @given );
}

# The same for a job whose items are read. It is cancelled when nobody holds it any more.
sub stream {
    my ( $self, @given ) = @_;
    return Palitra::Job->submit( $self, @given )->bind;
}

# ---- many jobs

# Submits [job, payload] pairs with one call: why not all were, if so, how many were, and the
# memory of their tokens with its address.
sub submit_many {
    my ( $self, $jobs, $given ) = @_;
    my $n     = @$jobs;
    my @names = map { ref eq 'ARRAY' ? $_->[0] : Palitra::Error->refuse('a job of a gather is [job, payload]') } @$jobs;
    my @payloads    = map { $self->{library}->encode(@$_) } @$jobs;
    my $submissions = join '', map { pack 'ppQQ', $names[$_], $payloads[$_], length $payloads[$_], 0 } 0 .. $#names;
    my ( $tokens, $address ) = memory( 8 * ( $n || 1 ) );
    my $status = $self->{native}{runner_submit_many}->( $self->id, $submissions, $n, $given, $address, \my $taken );
    return ( $status, $taken, $tokens, $address );
}

# Runs many jobs beside each other, [[job, payload], ...], and returns the list of their replies in this order.
#
# Options: `timeout` for each job; `fail_fast`: at the first failure the rest is cancelled; `settled`: instead of
# throwing the first failure it returns { value => ... } or { error => ... } for each job.
sub gather {
    my ( $self, $jobs, %options ) = @_;
    ref $jobs eq 'ARRAY' or Palitra::Error->refuse('a gather takes [[job, payload], ...]');
    my $native = $self->{native};
    my $given  = pack_submit_options( NO_ITEMS, nanoseconds( $options{timeout}, 0 ), 0, 0 );
    my ( $refused, $taken, $tokens, $address ) = $self->submit_many( $jobs, $given );
    my $guard = Palitra::Runner::Tokens->new( $native, $tokens, $taken );
    $self->{library}->check( $refused, $taken < @$jobs ? $jobs->[$taken][0] : undef );
    my $flags  = $options{fail_fast} ? FAIL_FAST : 0;
    my @gather = ( $self->{id}, $address, $taken );
    my $status;
    do { $status = $native->{runner_gather}->( @gather, $flags, SLICE, undef ) } while ( $status == PENDING );
    my ( $memory, $replies ) = replies($taken);
    $native->{runner_gather}->( @gather, FREE_TOKENS, 0, $replies );
    $guard->release;
    my @outcomes = map { [ $self->{library}->outcome( reply_at( $replies, $_ ) ) ] } 0 .. $taken - 1;

    if ( $options{settled} ) {
        return map { defined $_->[1] ? { error => $_->[1] } : { value => $_->[0] } } @outcomes;
    }
    if ( $status != OK ) {

        # The first in time, which the status tells, or else in order.
        my $name    = $native->{status_name}->($status);
        my @errors  = grep {defined} map { $_->[1] } @outcomes;
        my ($first) = ( ( grep { $_->status eq $name } @errors ), @errors );
        die $first;
    }
    return map { $_->[0] } @outcomes;
}

# ---- its state and its end

sub is_alive {
    my ($self) = @_;
    my $native = $self->{native};
    return !!( $self->{is_global} ? $native->{is_runner_alive}->() : $native->{runner_is_alive}->( $self->{id} ) );
}

my @FIGURES = qw(submitted running queued succeeded failed panicked cancelled deadline longest_poll);

# How the runner is doing, as palitra_stats tells; `longest_poll` is in seconds.
sub stats {
    my ($self) = @_;
    my ( $memory, $address ) = memory( 80, pack 'L', 80 );
    $self->{library}->check( $self->{native}{runner_stats}->( $self->id, $address ) );
    my %stats;
    ( undef, $stats{threads}, @stats{@FIGURES} ) = unpack 'LLQ9', $$memory;
    $stats{longest_poll} /= 1e9;
    return \%stats;
}

# Shuts the runner down; jobs in flight have `grace` seconds. False if something still blocks one of its threads.
#
# Signal handlers run meanwhile. Theirs are the only jobs that are still accepted while others are in flight. A handler
# that dies ends the grace period.
sub shutdown {
    my ( $self, %options ) = @_;
    my $grace = $options{grace} // 0;
    my $time  = $grace eq '0' ? 0     : nanoseconds( $grace, -1, 'grace' );
    my $end   = $time < 0     ? 'Inf' : clock_gettime(CLOCK_MONOTONIC) + $time / 1e9;
    if ( !eval { $self->_wait_until_idle($end); 1 } ) {
        my $failure = $@;
        $self->_end(0);
        die $failure;
    }
    my $left   = int( ( $end - clock_gettime(CLOCK_MONOTONIC) ) * 1e9 );
    my $status = $self->_end( $time < 0 ? -1 : $left > 0 ? $left : 0 );
    return 0 if $status == PENDING;
    $self->{library}->check($status);
    return 1;
}

# Waits until no job is in flight, until `$end` at most. The library's own wait for the end of a runner cannot be cut
# into slices: each would be a grace period, and the shortest holds.
sub _wait_until_idle {
    my ( $self, $end ) = @_;

    # The figures of the global runner would make one.
    until ( $self->{is_global} && !$self->is_alive ) {
        my $stats = $self->stats;
        last if $stats->{running} + $stats->{queued} == 0 || clock_gettime(CLOCK_MONOTONIC) >= $end;

        # A signal ends the sleep.
        usleep(5000);
    }
    return;
}

sub _end {
    my ( $self, $grace ) = @_;
    my $native = $self->{native};
    return $self->{is_global}
        ? $native->{shutdown_global_runner}->($grace)
        : $native->{runner_shutdown}->( $self->{id}, $grace );
}

# Frees the runner. One that is alive is shut down first.
sub close {
    my ($self) = @_;
    $self->{native}{runner_free}->( $self->{id} );
    return;
}

# The tokens of a gather, which end with it whatever ends it, such as a signal handler that dies.
package Palitra::Runner::Tokens;

sub new {
    my ( $class, $native, $tokens, $n ) = @_;
    return bless { native => $native, tokens => $tokens, n => $n }, $class;
}

sub release {
    my ($self) = @_;
    $self->{n} = 0;
    return;
}

sub DESTROY {
    my ($self) = @_;
    for my $token ( unpack "Q$self->{n}", ${ $self->{tokens} } ) {
        $self->{native}{token_cancel}->($token);
        $self->{native}{token_free}->($token);
    }
    return;
}

1;
