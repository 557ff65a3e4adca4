# One submitted job: wait for it, look at it, cancel it, read its items.
package Palitra::Job;

use v5.26;
use warnings;
use Palitra::Error;
use Palitra::Native
    qw(OK PENDING END_OF JOB_FAILED ITEM_EVENTS SLICE nanoseconds replies take_reply pack_submit_options);

sub CLONE_SKIP { return 1 }

sub library { return $_[0]{library} }

# Submits a job, which runs on if nobody holds it any more.
sub submit {
    my ( $class, $runner, $name, $payload, %options ) = @_;
    my $library  = $runner->library;
    my $data     = $library->encode( $name, $payload );
    my $deadline = nanoseconds( $options{timeout}, 0 );
    my ( $status, $tag, $token );
    do {
        $tag = $library->take_tags(1);
        my $given = pack_submit_options( ITEM_EVENTS, $deadline, $library->queue, $tag, $options{stream_items} );
        $status = $library->native->{runner_submit}->( $runner->id, $name, $data, length $data, $given, \$token );
    } while ( $library->is_reborn($status) );
    $library->check( $status, $name );
    my $self = $class->adopt( $library, $token );

    # A runner that nobody holds ends, and its jobs with it.
    @{$self}{qw(tag runner)} = ( $tag, $runner );
    $library->hold( $tag, $self );
    $library->drain;
    return $self;
}

# A job of its token, which it frees.
sub adopt {
    my ( $class, $library, $token ) = @_;
    return bless { library => $library, native => $library->native, token => $token }, $class;
}

# Has the job end with this object: after a signal handler that died, and for a stream that nobody reads.
sub bind {
    my ($self) = @_;
    $self->{is_bound} = 1;
    return $self;
}

sub DESTROY {
    my ($self) = @_;
    return                                            if ${^GLOBAL_PHASE} eq 'DESTRUCT';
    $self->{native}{token_cancel}->( $self->{token} ) if $self->{is_bound};
    $self->{native}{token_free}->( $self->{token} );
    return;
}

# Waits for the reply. Past the timeout in seconds it throws PALITRA_PENDING, and the job runs on.
sub wait {
    my ( $self,   $timeout ) = @_;
    my ( $memory, $reply )   = replies(1);
    my $left = nanoseconds( $timeout, undef );
    while (1) {
        my $slice = defined $left && $left < SLICE ? $left : SLICE;
        last if $self->{native}{token_wait}->( $self->{token}, $slice, $reply ) != PENDING;
        last if defined $left && ( $left -= $slice ) <= 0;
        $self->{native}{reply_free}->($reply);
    }
    return $self->{library}->value($reply);
}

# Whether the job has finished.
sub is_ready {
    my ($self) = @_;
    return $self->{native}{token_poll}->( $self->{token}, undef ) != PENDING;
}

# Cancels the job; one that has finished is not changed.
sub cancel {
    my ($self) = @_;
    $self->{library}->check( $self->{native}{token_cancel}->( $self->{token} ) );
    return;
}

# How much is done, and how much there is to do: what the job has reported last.
sub progress {
    my ($self) = @_;
    $self->{library}->check( $self->{native}{token_progress}->( $self->{token}, \my $done, \my $total ) );
    return ( $done, $total );
}

# The next item, as a list of one, which is empty at the end. A failure is thrown after the items before it.
sub next {
    my ($self) = @_;
    my ( $memory, $item ) = replies(1);
    while (1) {
        my $status = $self->{native}{token_next}->( $self->{token}, SLICE, $item );
        return $self->{library}->value($item) if $status == OK || $status >= JOB_FAILED;
        $self->{native}{reply_free}->($item);
        return if $status == END_OF;
    }
}

# The items that can be read now, and no failure: `wait` throws it.
sub take_items {
    my ($self) = @_;
    my ( $memory, $item ) = replies(1);
    my @items;
    while ( $self->{native}{token_next}->( $self->{token}, 0, $item ) == OK ) {
        push @items, $self->{library}->value($item);
    }
    $self->{native}{reply_free}->($item);
    return @items;
}

# ---- callbacks, which the library's `dispatch` calls, or the call itself where something has come already

# Calls back with this job when it has finished.
sub on_ready {
    my ( $self, $callback ) = @_;
    if ( $self->{is_over} ) {
        $callback->($self);
        return $self;
    }
    push @{ $self->{on_ready} }, $callback;
    $self->{library}->tell( $self->{tag}, $self );
    return $self;
}

# Calls back with each item.
sub on_item {
    my ( $self, $callback ) = @_;
    $self->{on_item} = $callback;
    $self->{library}->tell( $self->{tag}, $self ) if !$self->{is_over};
    $self->_give_items;
    return $self;
}

# An event says that items wait, once for all that are read until there is none.
sub _give_items {
    my ($self) = @_;
    $self->{on_item}->($_) for $self->take_items;
    return;
}

sub on_event {
    my ( $self, $status ) = @_;
    $self->_give_items if $self->{on_item};
    return             if $status == PENDING;
    $self->{is_over} = 1;
    my @callbacks = @{ delete $self->{on_ready} // [] };
    delete $self->{on_item};
    $_->($self) for @callbacks;
    return;
}

1;
