# A library built on palitra: its jobs, its JSON, and the queue whose events tell who waits for them.
package Palitra::Library;

use v5.26;
use warnings;
use JSON::PP     ();
use Scalar::Util qw(weaken);
use Palitra::Error;
use Palitra::Native qw(OK PENDING UNKNOWN_JOB FORKED JSON_FORMAT TEXT_FORMAT memory take_reply);

my $JSON    = JSON::PP->new->utf8->allow_nonref;
my @FORMATS = qw(bytes text json);

sub CLONE_SKIP { return 1 }

sub open {
    my ( $class, $path ) = @_;
    my $self = bless { native => Palitra::Native::open_library($path), tags => 0 }, $class;
    $self->{inputs} = { map { $_->{name} => $_->{input} } $self->jobs };
    return $self;
}

sub native { return $_[0]{native} }

sub version { return $_[0]{native}{version}->() }

# What jobs there are: hashes of name, doc, input and output.
sub jobs {
    my ($self) = @_;
    my $native = $self->{native};
    my $text   = $native->{text_at};
    return map {
        my ( $info, $address ) = memory(24);
        $native->{job_at}->( $_, $address );
        my ( $name, $doc, $input, $output ) = unpack 'QQll', $$info;
        { name => $text->($name), doc => $text->($doc), input => $FORMATS[$input], output => $FORMATS[$output], };
    } 0 .. $native->{job_count}->() - 1;
}

# Configures the runners that are made from now on: a hash, or JSON.
sub configure {
    my ( $self, $config ) = @_;
    $self->check( $self->{native}{configure}->( $self->json_of( $config, 'the configuration' ) ) );
    return;
}

# ---- payloads and replies

# A reference as JSON in UTF-8. A string stands as it stands.
sub json_of {
    my ( $self, $value, $what ) = @_;
    return $value if !ref $value;
    return eval { $JSON->encode($value) } // Palitra::Error->refuse( "$what has no JSON: " . $@ =~ s/ at .*//sr );
}

# The payload of a job, as bytes. A string is any job's payload as it stands; that of a text job is characters.
sub encode {
    my ( $self, $job, $payload ) = @_;
    my $input = defined $job ? $self->{inputs}{$job} : Palitra::Error->refuse('a job has no name');
    if ( !defined $input ) {
        $job =~ /\0/ and Palitra::Error->refuse('the name of a job contains a NUL');
    }
    return '' if !defined $payload;
    if ( ref $payload ) {
        defined $input
            && $input ne 'json'
            && Palitra::Error->refuse( "the payload of $job is a string, not a reference to " . lc ref $payload );
        return $self->json_of( $payload, "the payload of $job" );
    }
    my $bytes = "$payload";
    if ( defined $input && $input eq 'text' ) {
        utf8::encode($bytes);
    }
    elsif ( !utf8::downgrade( $bytes, 1 ) ) {
        Palitra::Error->refuse("the payload of $job has characters that are no bytes: encode it");
    }
    return $bytes;
}

# What a call filled: the value and no error, or undef and an error.
sub outcome {
    my ( $self, $address ) = @_;
    my ( $status, $code, $format, $data ) = take_reply( $self->{native}, $address );
    return ( undef, Palitra::Error->of( $self->{native}, $status, $code, $data ) ) if $status != OK;
    return $JSON->decode($data)                                                    if $format == JSON_FORMAT;
    utf8::decode($data)                                                            if $format == TEXT_FORMAT;
    return $data;
}

# The value that a call filled; a failure is thrown.
sub value {
    my ( $self,  $address ) = @_;
    my ( $value, $error )   = $self->outcome($address);
    die $error if defined $error;
    return $value;
}

# Throws a status that is none of success. $job is what was submitted.
sub check {
    my ( $self, $status, $job ) = @_;
    return if $status == OK;
    my $message = '';
    if ( $status == UNKNOWN_JOB ) {
        my $nearest = $self->{native}{job_nearest}->($job);
        $message = qq(no job is registered as "$job") . ( defined $nearest ? qq(; the nearest is "$nearest") : '' );
    }
    return Palitra::Error->throw( $self->{native}, $status, 0, $message );
}

# ---- events

# The queue of this library, made at the first use.
sub queue {
    my ($self) = @_;
    $self->_make_queue if !defined $self->{queue};
    return $self->{queue};
}

sub _make_queue {
    my ($self) = @_;
    $self->check( $self->{native}{queue_new}->( \my $queue ) );

    # Who is notified of an event, by the tag of its job: those that have callbacks, and those that the program holds.
    @{$self}{qw(queue pid told held)} = ( $queue, $$, {}, {} );
    return;
}

# Whether a call was refused because its queue was that of the parent process: there is a new one, try again.
sub is_reborn {
    my ( $self, $status ) = @_;
    return 0 if $status != FORKED || !defined $self->{pid} || $self->{pid} == $$;
    $self->_make_queue;
    return 1;
}

# The descriptor of the events, for an event loop: when it is readable the loop calls `dispatch`. Never close it.
sub fd {
    my ($self) = @_;
    my $fd = $self->{native}{queue_fd}->( $self->queue );
    $fd = $self->{native}{queue_fd}->( $self->queue ) if $fd < 0 && $self->is_reborn(FORKED);
    return $fd;
}

# Takes the tags of n jobs that are about to be submitted.
sub take_tags {
    my ( $self, $n ) = @_;
    return ( $self->{tags} += $n ) - $n;
}

sub hold {
    my ( $self, $tag, $job ) = @_;
    weaken( $self->{held}{$tag} = $job );
    return;
}

# Has a job told of its events, also if nobody else holds it.
sub tell {
    my ( $self, $tag, $job ) = @_;
    $self->{told}{$tag} = $job;
    return;
}

sub forget {
    my ( $self, $tag ) = @_;
    delete $self->{held}{$tag};
    delete $self->{told}{$tag};
    return;
}

use constant { MANY => 64, EVENT_SIZE => 24 };

# Calls the callbacks of the jobs whose events have come. Of those that die, the first does so when all were called.
sub dispatch {
    my ($self) = @_;
    my $queue = $self->queue;
    my ( $memory, $address ) = memory( MANY * EVENT_SIZE );
    my $failure;
    while ( $self->{native}{queue_next}->( $queue, 0, $address, MANY, \my $n ) == OK ) {
        my @events = unpack '(Qx8lx4)*', substr $$memory, 0, $n * EVENT_SIZE;
        while ( my ( $tag, $status ) = splice @events, 0, 2 ) {
            my $job = $self->{told}{$tag} // $self->{held}{$tag};
            $self->forget($tag) if $status != PENDING;
            next                if !defined $job || eval { $job->on_event($status); 1 };
            $failure //= $@;
        }
    }
    die $failure if defined $failure;
    return;
}

# The events of jobs that were submitted where nobody waits for any would heap up.
sub drain {
    my ($self) = @_;
    $self->dispatch if !%{ $self->{told} };
    return;
}

1;
