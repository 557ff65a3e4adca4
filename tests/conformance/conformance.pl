# The conformance scenarios through the Perl package: carries out the steps of a file, prints what came of each.
#
# README.md tells the format and what each verb means. Called by tests/conformance.rs, after beneath.sh:
#
#     perl -Ibindings/perl/lib tests/conformance/conformance.pl FILE
#
# It judges nothing and exits with 0 when it has come to the end of the file. A token is the job that `submit` returns.
# What a program in Perl cannot do, or cannot get wrong, is done by C functions beneath, and said there.
use v5.26;
use warnings;
use FFI::Platypus;
use FFI::Platypus::Buffer qw(scalar_to_pointer);
use JSON::PP              ();
use Palitra;
use Palitra::Job;
use Palitra::Native qw(PENDING FAIL_FAST replies reply_at take_reply);

my $library = Palitra::load("$ENV{PALITRA_LIBRARY_DIR}/libpalitra_test_jobs.so");
my $native  = $library->native;
my $beneath = FFI::Platypus->new( api => 2, lib => 'target/conformance-beneath.so' );
$beneath->attach( beneath_run      => [ 'uint64', 'string', 'string', 'size_t' ] => 'opaque' );
$beneath->attach( beneath_gather   => [ 'uint64', 'opaque', 'size_t' ]           => 'opaque' );
$beneath->attach( beneath_join     => [ 'opaque', 'opaque' ]                     => 'void' );
$beneath->attach( beneath_callback => [ 'uint64', 'uint64', 'opaque' ]           => 'sint32' );
$beneath->attach( beneath_ready    => [ 'uint64', 'opaque' ]                     => 'sint32' );
$beneath->attach( beneath_register => [ 'uint64', 'string', 'string' ]           => 'sint32' );
$beneath->attach( beneath_note     => ['string']                                 => 'string' );
$beneath->attach( beneath_fork     => [ 'string', 'uint64' ]                     => 'sint32' );

use constant FORGED => 0x0123456789abcdef;

my %input = map { $_->{name} => $_->{input} } $library->jobs;
my $json  = JSON::PP->new->utf8->allow_nonref;

# ---- outcomes

sub name_of {
    my ($status) = @_;
    return $native->{status_name}->($status) =~ s/^PALITRA_//r;
}

sub outcome_of {
    my ($value) = @_;
    my $text = ref $value ? $json->encode($value) : $value;
    utf8::encode($text) if utf8::is_utf8($text);
    return "OK $text" =~ s/ $//r;
}

sub failure_of {
    my ($failure) = @_;
    die $failure if !ref $failure;
    my $status  = $failure->status =~ s/^PALITRA_//r;
    my $message = $failure->message;
    utf8::encode($message);
    return "$status $failure->{code} $message" =~ s/ $//r if $status eq 'JOB_FAILED';
    return $status =~ /^(?:BAD_PAYLOAD|JOB_PANICKED)$/ ? "$status $message" : $status;
}

## no critic (Prototypes): they take a block
# What a call that fills a reply came to.
sub reply(&) {
    my ($call) = @_;
    return eval { outcome_of( $call->() ) } // failure_of($@);
}

# What a call that fills no reply came to.
sub status(&) {
    my ($call) = @_;
    return eval { $call->(); 'OK' } // failure_of($@);
}

# What C filled, which is freed: only beneath are there replies.
sub outcome_at {
    my ($address) = @_;
    my ( $ended, $code, undef, $text ) = take_reply( $native, $address );
    my $name = name_of($ended);
    return "$name $code $text" =~ s/ $//r if $name eq 'JOB_FAILED';
    return $name =~ /^(?:OK|BAD_PAYLOAD|JOB_PANICKED)$/ ? "$name $text" =~ s/ $//r : $name;
}

sub seconds {
    my ($time) = @_;
    return defined $time ? $time =~ /^(\d+)ms$/ ? $1 / 1000 : $time =~ s/s$//r : undef;
}

sub payload_of {
    my ( $job, $word ) = @_;
    return ''           if $word eq '-';
    utf8::decode($word) if ( $input{$job} // '' ) eq 'text';
    return $word;
}

# ---- the verbs

my ( %runners, %tokens, %threads );

my %verbs = (
    runner => sub {
        my ( $name, $named ) = @_;
        return status { $runners{$name} = Palitra::Runner->new( library => $library, %$named ) };
    },
    alive => sub {
        my ($runner) = @_;
        return $runners{$runner}->is_alive ? 'true' : 'false';
    },
    submit => sub {
        my ( $name, $runner, $job, $payload, $named ) = @_;
        return status {
            $tokens{$name} = $runners{$runner}
                ->submit( $job, payload_of( $job, $payload ), timeout => seconds( $named->{deadline} ) )
        };
    },

    # What `gather` submits with: no call of the package returns the jobs.
    submit_many => sub {
        my ( $runner, @words ) = @_;
        my ( @names, @jobs );
        while ( my ( $name, $job, $payload ) = splice @words, 0, 3 ) {
            last if ref $name;
            push @names, $name;
            push @jobs,  [ $job, payload_of( $job, $payload ) ];
        }
        my ( $refused, $taken, $many ) = $runners{$runner}->submit_many( \@jobs, undef );
        my @handles = unpack "Q$taken", $$many;
        $tokens{ $names[$_] } = Palitra::Job->adopt( $library, $handles[$_] ) for 0 .. $taken - 1;
        return name_of($refused) . " $taken";
    },
    run => sub {
        my ( $runner, $job, $payload, $named ) = @_;
        return reply {
            $runners{$runner}->run( $job, payload_of( $job, $payload ), timeout => seconds( $named->{timeout} ) )
        };
    },
    wait => sub {
        my ( $token, $time ) = @_;
        return reply { $tokens{$token}->wait( ref $time ? undef : seconds($time) ) };
    },
    poll => sub {
        my ($token) = @_;
        return $tokens{$token}->is_ready ? reply { $tokens{$token}->wait } : 'PENDING';
    },
    cancel => sub {
        my ($token) = @_;
        return status { $tokens{$token}->cancel };
    },

    # A program gathers what it has not submitted yet.
    gather => sub {
        my @names = @_;
        pop @names;
        my $flags    = $names[0] eq 'fail_fast' ? shift @names && FAIL_FAST : 0;
        my ($runner) = values %runners;
        my $handles  = handles_of(@names);
        my ( $buffer, $replies ) = replies( scalar @names );
        $native->{runner_gather}->( $runner->id, scalar_to_pointer($handles), scalar @names, $flags, -1, $replies );
        return join ' | ', map { outcome_at( reply_at( $replies, $_ ) ) } 0 .. $#names;
    },
    next => sub {
        my ($token) = @_;
        return eval {
            my @item = $tokens{$token}->next;
            @item ? outcome_of( $item[0] ) : 'END';
        } // failure_of($@);
    },
    progress => sub {
        my ($token) = @_;
        return eval { join ' ', 'OK', $tokens{$token}->progress } // failure_of($@);
    },

    # A job is freed when nobody holds it.
    free => sub {
        my ($name) = @_;
        $tokens{$name} ? $native->{token_free}->( $tokens{$name}{token} ) : $runners{$name}->close;
        return 'OK';
    },

    # Nobody can make a job or a runner of a number.
    forged => sub {
        my ($kind) = @_;
        return name_of(
              $kind eq 'token'
            ? $native->{token_poll}->( FORGED, undef )
            : $native->{runner_submit}->( FORGED, 'palitra.echo', '', 0, undef, undef )
        );
    },
    shutdown => sub {
        my ( $runner, $grace ) = @_;
        return eval { $runners{$runner}->shutdown( grace => seconds($grace) ) ? 'OK' : 'PENDING' } // failure_of($@);
    },

    # No code of Perl may run on another thread than its own.
    callback => sub {
        my ( $token, undef, $other ) = @_;
        my ( $buffer, $reply ) = replies(1);
        beneath_callback( $tokens{$token}{token}, $tokens{$other}{token}, $reply );
        return outcome_at($reply);
    },

    ready => sub {
        my ($token) = @_;
        my ( $buffer, $reply ) = replies(1);
        beneath_ready( $tokens{$token}{token}, $reply );
        return outcome_at($reply);
    },

    # The package registers no functions of Perl as jobs.
    register => sub {
        my ( $runner, $job, $does ) = @_;
        return name_of( beneath_register( $runners{$runner}->id, $job, $does ) );
    },
    note => sub { beneath_note( $_[0] ) },

    # Threads of Perl share no objects.
    thread => sub {
        my ( $name, $verb, @words ) = @_;
        pop @words;
        my ($runner) = values %runners;
        if ( $verb eq 'run' ) {
            my ( $named, $job, $payload ) = @words;
            $payload = payload_of( $job, $payload );
            $threads{$name} = [ beneath_run( $runners{$named}->id, $job, $payload, length $payload ), 1 ];
        }
        else {
            my $handles = handles_of(@words);
            $threads{$name}
                = [ beneath_gather( $runner->id, scalar_to_pointer($handles), scalar @words ), scalar @words ];
        }
        return 'OK';
    },
    join => sub {
        my ($name) = @_;
        my ( $thread, $n )       = @{ $threads{$name} };
        my ( $buffer, $replies ) = replies($n);
        beneath_join( $thread, $replies );
        return join ' | ', map { outcome_at( reply_at( $replies, $_ ) ) } 0 .. $n - 1;
    },

    # The child of Perl's own fork would run Perl's code to its end.
    fork => sub {
        my ( $call, $name ) = @_;
        my $handle = $call eq 'wait' ? $tokens{$name}{token} : $call eq 'run' ? $runners{$name}->id : 0;
        my $ended  = beneath_fork( $call, $handle );
        return $ended < 0 ? 'error: signal ' . -$ended : name_of($ended);
    },
);
$verbs{drain} = sub {
    my ($token) = @_;
    my @items = $verbs{next}->($token);
    push @items, pop(@items) =~ s/^OK //r, $verbs{next}->($token) while $items[-1] =~ /^OK/;
    return join ' ', @items;
};

sub handles_of {
    my @names = @_;
    return pack 'Q*', map { $tokens{$_}{token} } @names;
}

# ---- the file

sub free_everything {
    $native->{token_free}->( $_->{token} ) for values %tokens;
    %tokens  = ();
    %runners = ();
    return;
}

sub carry_out {
    my ($line) = @_;
    my ( $verb, @operands ) = split / /, $line;
    my %named;
    while ( ( $operands[-1] // '' ) =~ /^([a-z_]+)=(.*)$/ ) {
        pop @operands;
        $named{$1} = $2;
    }
    return eval { $verbs{$verb}->( @operands, \%named ) } // "error: $@" =~ s/\n.*//sr;
}

open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!";
chomp( my @lines = <$file> );
close $file;
$| = 1;
my ( $scenario, $steps );
for my $line ( grep {length} @lines ) {
    if ( $line =~ /^scenario (.+)/ ) {
        free_everything();
        ( $scenario, $steps ) = ( $1, 0 );
        next;
    }
    $steps++;
    print "$scenario\t$steps\t", carry_out($line), "\n";
}
free_everything();
