# Streams: order, back-pressure, failures, and readers that leave.
use v5.26;
use warnings;
use lib 'tests/perl/lib';
use Helpers;
use Test::More;

sub items_of {
    my ($job) = @_;
    my @all;
    while ( my ($item) = $job->next ) { push @all, $item }
    return \@all;
}

subtest 'every item arrives in order, however many there are' => sub {
    my $runner = runner();
    is_deeply items_of( $runner->stream( 'test.stream', { items => 2000 } ) ), [ 0 .. 1999 ];
    my $job = $runner->submit( 'test.stream', { items => 40 }, stream_items => 1 );
    is_deeply items_of($job), [ 0 .. 39 ];
    $job->wait;
};

subtest 'a failure is thrown after the items before it' => sub {
    my $runner = runner();
    my $items  = $runner->stream( 'test.stream', { items => 3, fail_at => 1 } );
    is_deeply [ $items->next ], [0];
    is throws( JOB_FAILED => sub { $items->next } )->code, 7;
};

subtest 'a job waits for a slow reader' => sub {
    my $runner = runner();
    my $job    = $runner->submit( 'test.stream', { items => 40 } );
    $runner->run( 'palitra.sleep', { seconds => 0.05 } );
    is $runner->stats->{running}, 1;
    is_deeply items_of($job), [ 0 .. 39 ];
};

subtest 'a stream that is left early is cancelled' => sub {
    my $runner = runner();
    {
        my $items = $runner->stream( 'test.stream', { items => 1000 } );
        while ( my ($item) = $items->next ) { last if $item == 3 }
    }
    till( sub { $runner->stats->{cancelled} == 1 } );
};

done_testing;
