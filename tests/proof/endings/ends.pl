# See tests/proof/endings.py.
use v5.26;
use warnings;
use Palitra qw(run submit);

my @kept;

sub use_and_leave {
    @kept = map { submit( 'palitra.sleep', { seconds => 100 } ) } 1 .. 8;
    die 'no echo' if run( 'palitra.echo', 'hello' ) ne 'hello';
}

use_and_leave();
for ( 1 .. ( $ARGV[0] eq 'forks' ? $ARGV[1] : 0 ) ) {
    my $pid = fork // die "no fork: $!";
    if ( $pid == 0 ) {
        use_and_leave();
        exit 7;
    }
    waitpid $pid, 0;
    die "a child ended with $?" if $? != 7 << 8;
}
exit 7;
