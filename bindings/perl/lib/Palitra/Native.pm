# The C ABI as Perl sees it: functions of a library by FFI::Platypus, its numbers, and its structs by pack and unpack.
#
# A handle is a struct of one 64-bit number, which the ABIs of Linux pass as that number.
package Palitra::Native;

use v5.26;
use warnings;
use Exporter 'import';
use FFI::Platypus 2.00;
use FFI::Platypus::DL     qw(dlopen dlerror RTLD_PLATYPUS_DEFAULT);
use FFI::Platypus::Buffer qw(buffer_to_scalar scalar_to_pointer);
use Palitra::Error;

use constant {
    OK          => 0,
    PENDING     => 1,
    END_OF      => 2,
    JOB_FAILED  => 10,
    UNKNOWN_JOB => 22,
    FORKED      => 27,

    JSON_FORMAT => 2,
    TEXT_FORMAT => 1,

    ITEM_EVENTS => 1,
    NO_ITEMS    => 2,
    INLINE_ONLY => 4,
    FAIL_FAST   => 1,
    FREE_TOKENS => 2,

    # A signal does not end a wait, and Perl acts on one between two operations: a wait is cut into slices.
    SLICE => 50_000_000,

    ABI_VERSION  => 1,
    LONGEST_TIME => 2**62,
};

our @EXPORT_OK = qw(OK PENDING END_OF JOB_FAILED UNKNOWN_JOB FORKED JSON_FORMAT TEXT_FORMAT ITEM_EVENTS NO_ITEMS
    INLINE_ONLY FAIL_FAST FREE_TOKENS SLICE nanoseconds memory replies reply_at take_reply pack_submit_options);

# Its functions: what they take and return. A buffer is an address, a payload a string with its length.
my %FUNCTIONS = (
    version                => [ []                                                                        => 'string' ],
    status_name            => [ ['sint32']                                                                => 'string' ],
    status_message         => [ ['sint32']                                                                => 'string' ],
    reply_free             => [ ['opaque']                                                                => 'void' ],
    job_count              => [ []                                                                        => 'size_t' ],
    job_at                 => [ [ 'size_t', 'opaque' ]                                                    => 'sint32' ],
    job_nearest            => [ ['string']                                                                => 'string' ],
    configure              => [ ['string']                                                                => 'sint32' ],
    runner_new             => [ [ 'string', 'uint64*' ]                                                   => 'sint32' ],
    runner_global          => [ ['uint64*']                                                               => 'sint32' ],
    is_runner_alive        => [ []                                                                        => 'bool' ],
    shutdown_global_runner => [ ['sint64']                                                                => 'sint32' ],
    runner_is_alive        => [ ['uint64']                                                                => 'bool' ],
    runner_shutdown        => [ [ 'uint64', 'sint64' ]                                                    => 'sint32' ],
    runner_free            => [ ['uint64']                                                                => 'void' ],
    runner_stats           => [ [ 'uint64', 'opaque' ]                                                    => 'sint32' ],
    runner_submit          => [ [ 'uint64', 'string', 'string', 'size_t', 'string', 'uint64*' ]           => 'sint32' ],
    runner_submit_many     => [ [ 'uint64', 'string', 'size_t', 'string', 'opaque', 'size_t*' ]           => 'sint32' ],
    runner_start           => [ [ 'uint64', 'string', 'string', 'size_t', 'string', 'uint64*', 'opaque' ] => 'sint32' ],
    runner_gather          => [ [ 'uint64', 'opaque', 'size_t', 'uint32', 'sint64', 'opaque' ]            => 'sint32' ],
    token_poll             => [ [ 'uint64', 'opaque' ]                                                    => 'sint32' ],
    token_wait             => [ [ 'uint64', 'sint64', 'opaque' ]                                          => 'sint32' ],
    token_cancel           => [ ['uint64']                                                                => 'sint32' ],
    token_next             => [ [ 'uint64', 'sint64', 'opaque' ]                                          => 'sint32' ],
    token_progress         => [ [ 'uint64', 'uint64*', 'uint64*' ]                                        => 'sint32' ],
    token_free             => [ ['uint64']                                                                => 'void' ],
    queue_new              => [ ['uint64*']                                                               => 'sint32' ],
    queue_next             => [ [ 'uint64', 'sint64', 'opaque', 'size_t', 'size_t*' ]                     => 'sint32' ],
    queue_fd               => [ ['uint64']                                                                => 'int' ],
);

# The functions of the library at a path, by their names without palitra_.
sub open_library {
    my ($path) = @_;
    dlopen( $path, RTLD_PLATYPUS_DEFAULT ) // Palitra::Error->refuse( "$path cannot be loaded: " . dlerror() );
    my $ffi = FFI::Platypus->new( api => 2, lib => $path );
    $ffi->ignore_not_found(1);
    my $abi_version = $ffi->function( palitra_abi_version => [] => 'uint32' )
        // Palitra::Error->refuse("$path is not a library of palitra");
    my $found = $abi_version->call;
    $found == ABI_VERSION
        or Palitra::Error->refuse("$path has the ABI $found of palitra; this package needs @{[ABI_VERSION]}");
    my %functions = map { $_ => $ffi->function( "palitra_$_" => @{ $FUNCTIONS{$_} } )->sub_ref } keys %FUNCTIONS;
    $functions{text_at} = sub { $ffi->cast( 'opaque', 'string', $_[0] ) };
    return \%functions;
}

# Seconds as nanoseconds, at least one; $forever for undef and for infinity.
sub nanoseconds {
    my ( $seconds, $forever, $name ) = @_;
    return $forever if !defined $seconds || $seconds eq 'Inf';
    $name //= 'timeout';
    $seconds =~ /^[0-9.]+(?:e[-+]?[0-9]+)?$/i or Palitra::Error->refuse("$name is a number of seconds, not $seconds");
    my $time = int( $seconds * 1e9 + 0.5 );
    return $time < 1 ? 1 : $time > LONGEST_TIME ? LONGEST_TIME : $time;
}

# A reference to zeros that a call may write to, and their address. It starts with what is given.
#
# Perl lets equal strings share their bytes. vec gives this one bytes of its own, and nothing must copy it.
sub memory {
    my ( $size, $start ) = @_;
    my $bytes = '';
    vec( $bytes, $size - 1, 8 ) = 0;
    substr( $bytes, 0, length $start ) = $start if defined $start;
    return ( \$bytes, scalar_to_pointer($bytes) );
}

# ---- replies: status, code, format, data, length and owner, each 40 bytes

use constant REPLY_SIZE => 40;

# Memory for n replies, and its address.
sub replies {
    my ($n) = @_;
    return memory( REPLY_SIZE * ( $n || 1 ) );
}

sub reply_at {
    my ( $address, $i ) = @_;
    return $address + REPLY_SIZE * $i;
}

# What a call filled, which is freed: its status, code, format and data.
sub take_reply {
    my ( $native, $address ) = @_;
    my ( $status, $code, $format, $data, $len ) = unpack 'lllx4QQ', buffer_to_scalar( $address, REPLY_SIZE );
    my $bytes = $len == 0 ? '' : buffer_to_scalar( $data, $len );
    $native->{reply_free}->($address);
    return ( $status, $code, $format, $bytes );
}

# palitra_submit_options: flags, deadline, queue, tag, how many items wait.
sub pack_submit_options {
    my ( $flags, $deadline, $queue, $tag, $items ) = @_;
    return pack 'LLqQQLL', 40, $flags, $deadline, $queue, $tag, $items // 0, 0;
}

1;
