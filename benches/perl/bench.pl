# palitra from Perl beside Perl's own ways, in turns: `make bench-perl`.
#
# A figure is the median over the rounds; a ratio is the median of the rival's figure divided by palitra's of the same
# round, so above 1 palitra is faster.
use v5.26;
use warnings;
use FFI::Platypus;
use Palitra qw(run gather submit);
use Time::HiRes 'time';

use constant ROUNDS => 15;

# A child that sends back each byte: the cheapest hand-off to another process and back.
pipe my $from_parent, my $to_child  or die $!;
pipe my $from_child,  my $to_parent or die $!;
my $child = fork // die $!;
if ( $child == 0 ) {
    close $to_child;
    while ( sysread $from_parent, my $byte, 1 ) { syswrite $to_parent, $byte }
    exit;
}

my $ffi = FFI::Platypus->new( api => 2, lib => $ENV{PALITRA_LIBRARY} );
$ffi->attach( palitra_abi_version => [] => 'uint32' );

my $jobs      = [ map { [ 'palitra.echo', 'x' ] } 1 .. 100 ];
my $ready     = sub { run( 'palitra.echo', 'x' ) };
my $submitted = sub { submit( 'palitra.echo', 'x' )->wait };
my $trip      = sub { syswrite $to_child, 'x'; sysread $from_child, my $byte, 1 };
my $call      = sub { palitra_abi_version() };
my $gather    = sub { gather($jobs) };
my $trips     = sub { $trip->() for 1 .. 100 };
my @rows      = (
    [ 'a ready job',                    2000, $ready,     'a round trip to a forked child', $trip ],
    [ 'a ready job',                    2000, $ready,     'a call of FFI::Platypus',        $call ],
    [ 'a job submitted, and its reply', 500,  $submitted, 'a round trip to a forked child', $trip ],
    [ 'a gather of 100',                50,   $gather,    '100 round trips',                $trips ],
);

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return $sorted[ @sorted / 2 ];
}

sub timed {
    my ( $n, $work ) = @_;
    my $start = time;
    $work->() for 1 .. $n;
    return ( time - $start ) * 1e6 / $n;
}

say "| palitra | us | rival | us | ratio |\n|---|---|---|---|---|";
for my $row (@rows) {
    my ( $name, $n, $own, $rival, $theirs ) = @$row;
    my ( @mine, @others );
    timed( $n, $_ ) for $own, $theirs;
    for my $round ( 1 .. ROUNDS ) {
        if ( $round % 2 ) { push @mine, timed( $n, $own ) }
        push @others, timed( $n, $theirs );
        if ( $round % 2 == 0 ) { push @mine, timed( $n, $own ) }
    }
    my $ratio = median( map { $others[$_] / $mine[$_] } 0 .. $#mine );
    printf "| %s | %.2f | %s | %.2f | %.2f |\n", $name, median(@mine), $rival, median(@others), $ratio;
}
close $to_child;
waitpid $child, 0;
