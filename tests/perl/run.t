# One job and many, on a runner and on the global one: replies, failures, limits, cancellation.
use v5.26;
use warnings;
use utf8;
use lib 'tests/perl/lib';
use Helpers;
use Test::More;
use Palitra qw(run gather submit);

subtest 'a payload and a reply follow the format of the job' => sub {
    is run( 'palitra.echo', "\0\xff" ), "\0\xff";
    is run('palitra.echo'),             '';
    is_deeply run( 'palitra.sleep', { seconds => 0 } ), { seconds => 0 };
    is_deeply run( 'palitra.sleep', '{"seconds":0}' ),  { seconds => 0 };
    my $large = 'palitra' x 1e6;
    ok run( 'palitra.echo', $large ) eq $large;
    is runner()->submit( 'test.nested', 'a job holds its runner' )->wait, 'a job holds its runner';
    my $failure = throws( JOB_FAILED => sub { runner()->run( 'test.fail', { code => 1, message => 'grüße' } ) } );
    is $failure->message, 'grüße';
};

subtest 'what is no payload or no job is refused with a reason' => sub {
    like throws( INVALID_ARGUMENT => sub { run( 'palitra.echo', {} ) } ), qr/is a string, not a reference to hash/;
    like throws( INVALID_ARGUMENT => sub { run( 'palitra.echo', "\x{263a}" ) } ), qr/no bytes: encode it/;
    like throws( INVALID_ARGUMENT => sub { run(undef) } ),                        qr/a job has no name/;
    like throws( INVALID_ARGUMENT => sub { run("palitra.echo\0") } ),             qr/contains a NUL/;
    like throws(
        INVALID_ARGUMENT => sub {
            run( 'palitra.sleep', { seconds => sub { } } );
        }
        ),
        qr/has no JSON/;
    for my $timeout ( -1, 'soon', 'NaN' ) {
        like throws( INVALID_ARGUMENT => sub { run( 'palitra.echo', '', timeout => $timeout ) } ),
            qr/timeout is a number of seconds, not $timeout/;
    }
    throws( INVALID_ARGUMENT => sub { gather('palitra.echo') } );
    throws( INVALID_ARGUMENT => sub { gather( ['palitra.echo'] ) } );
    is run( 'palitra.echo', 'x', timeout => 'Inf' ), 'x';
    like throws( INVALID_ARGUMENT => sub { run("palitra.echo\0") } ), qr/ at \Q$0\E line @{[__LINE__]}\./;
};

subtest 'every failure has its status, its code and its message' => sub {
    my $runner  = runner();
    my $failure = throws( JOB_FAILED => sub { $runner->run( 'test.fail', { code => 404, message => 'missing' } ) } );
    is $failure->code,    404;
    is $failure->message, 'missing';
    like "$failure", qr/^PALITRA_JOB_FAILED 404: missing at /;
    throws( BAD_PAYLOAD => sub { $runner->run( 'palitra.sleep', [] ) } );
    is throws( JOB_PANICKED => sub { $runner->run( 'test.panic', 'boom' ) } )->message, 'boom';
    for my $call (qw(run submit stream)) {
        like throws( UNKNOWN_JOB => sub { $runner->$call('palitra.eko') } ), qr/nearest is "palitra\.echo"/;
    }
    throws( UNKNOWN_JOB => sub { $runner->gather( [ ['palitra.echo'], ['palitra.eko'] ] ) } );
};

subtest 'a runner has the limits of its options' => sub {
    my $runner = runner( max_in_flight => 1, max_payload => 4, name => 'mine' );
    my $first  = $runner->submit('test.never');
    throws( BUSY => sub { $runner->run('palitra.echo') } );
    $first->cancel;
    throws( CANCELLED => sub { $first->wait } );
    till( sub { $runner->stats->{running} == 0 } );
    throws( TOO_LARGE => sub { $runner->run( 'palitra.echo', '12345' ) } );
    like throws( INVALID_ARGUMENT => sub { runner( max_in_flight => -1 ) } ), qr/max_in_flight is a count, not -1/;
    like throws( INVALID_ARGUMENT => sub { runner( max_inflight  => 1 ) } ),  qr/a runner has no option max_inflight/;
    throws( INVALID_ARGUMENT => sub { runner( worker_threads => 1e6 ) } );
};

subtest 'a timeout cancels the job, also one that never yields' => sub {
    my $runner = runner();
    throws( DEADLINE => sub { $runner->run( 'test.never', '',                 timeout => 0.01 ) } );
    throws( DEADLINE => sub { $runner->run( 'test.spin',  { seconds => 0.2 }, timeout => 0.01 ) } );
    throws( DEADLINE => sub { $runner->gather( [ ['test.never'], ['palitra.echo'] ], timeout => 0.01 ) } );
    throws( DEADLINE => sub { $runner->submit( 'test.never', '', timeout => 0.01 )->wait } );
};

subtest 'a gather keeps the order, and says which failed' => sub {
    my $runner = runner();
    my $fail   = [ 'test.fail', { code => 1, message => 'no' } ];
    my @jobs   = ( [ 'palitra.sleep', { seconds => 0.12 } ], $fail, [ 'palitra.echo', 'c' ] );
    is throws( JOB_FAILED => sub { $runner->gather( \@jobs ) } )->code, 1;
    my @settled = $runner->gather( \@jobs, settled => 1 );
    is_deeply $settled[0], { value => { seconds => 0.12 } };
    is $settled[1]{error}->code, 1;
    is $settled[2]{value},       'c';
    is_deeply [ $runner->gather( [] ) ],                                             [];
    is_deeply [ $runner->gather( [ map { [ 'palitra.echo', $_ ] } 1 .. 10_000 ] ) ], [ 1 .. 10_000 ];
};

subtest 'a fail-fast gather cancels the rest at the first failure' => sub {
    my $runner = runner();
    my $jobs   = [ ['test.never'], [ 'test.fail', { code => 1, message => 'no' } ], ['test.never'] ];
    is throws( JOB_FAILED => sub { $runner->gather( $jobs, fail_fast => 1 ) } )->code, 1;
    till( sub { $runner->stats->{cancelled} == 2 } );
};

subtest 'a submitted job can be waited for, looked at, cancelled and asked for its progress' => sub {
    my $runner = runner();
    my $job    = $runner->submit( 'test.progress', { steps => [ [ 1, 4 ], [ 3, 4 ] ], finish => JSON::PP::true } );
    $job->wait;
    $job->wait(0);
    is_deeply [ $job->progress ], [ 3, 4 ];
    ok $job->is_ready;
    my $never = $runner->submit('test.never');
    ok !$never->is_ready;
    throws( PENDING => sub { $never->wait(0.01) } );
    throws( PENDING => sub { $never->wait(0) } );
    $never->cancel;
    $never->cancel;
    throws( CANCELLED => sub { $never->wait } );
};

subtest 'a runner that was shut down refuses, and one that was closed is gone' => sub {
    my $runner  = runner();
    my $running = $runner->submit( 'palitra.sleep', { seconds => 0.05 } );
    ok $runner->shutdown( grace => 60 );
    is $running->wait->{seconds}, 0.05;
    ok !$runner->is_alive;
    throws( SHUT_DOWN => sub { $runner->run('palitra.echo') } );
    $runner->close;
    $runner->close;
    throws( INVALID_HANDLE => sub { $runner->run('palitra.echo') } );
    throws( INVALID_HANDLE => sub { $runner->stats } );
};

subtest 'the global runner is made anew after its shutdown' => sub {
    run('palitra.echo');
    ok( Palitra::is_runner_alive() );
    ok( Palitra::shutdown_global_runner() );
    ok( !Palitra::is_runner_alive() );
    is run( 'palitra.echo', 'again' ), 'again';
};

subtest 'a configuration reaches the states of the jobs' => sub {
    is runner( config => { 'test.configured' => { text => 'given' } } )->run('test.configured'), 'given';
    throws( INVALID_ARGUMENT => sub { Palitra::configure('{') } );
};

subtest 'what is no library is refused with a reason' => sub {
    like throws( INVALID_ARGUMENT => sub { Palitra::load('/nowhere.so') } ), qr/cannot open/;
    like throws( INVALID_ARGUMENT => sub { Palitra::load('libc.so.6') } ),   qr/not a library of palitra/;
};

subtest 'a hundred thousand runs leave the memory as it was' => sub {
    my $resident = sub {
        open my $statm, '<', '/proc/self/statm' or die $!;
        return ( split ' ', <$statm> )[1] * 4096;
    };
    my $runs = sub {
        for ( 1 .. $_[0] ) {
            run( 'palitra.echo', 'x' );
            submit( 'palitra.echo', 'x' )->wait if $_ % 4 == 0;
        }
    };
    $runs->(10_000);
    my $before = $resident->();
    $runs->(100_000);
    my $grown = $resident->() - $before;
    cmp_ok $grown, '<', 4e6;
};

done_testing;
