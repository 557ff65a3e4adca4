# AnyEvent: condvars of jobs, timers that have their turn, streams, and failures.
use v5.26;
use warnings;
use lib 'tests/perl/lib';
use Helpers;
use AnyEvent;
use Palitra::AnyEvent;
use Test::More;
use Time::HiRes 'time';

sub condvar {
    my ( $runner, @job ) = @_;
    return Palitra::AnyEvent::condvar_of( $runner->submit(@job) );
}

subtest 'jobs sleep beside each other while timers have their turn' => sub {
    my $runner  = runner();
    my $turns   = 0;
    my $timer   = AnyEvent->timer( after => 0.01, interval => 0.01, cb => sub { $turns++ } );
    my $start   = time;
    my @waiting = map { condvar( $runner, 'palitra.sleep', { seconds => 0.2 } ) } 1 .. 100;
    is $_->recv->{seconds}, 0.2 for $waiting[-1];
    $_->recv for @waiting;
    cmp_ok $turns,        '>', 5;
    cmp_ok time - $start, '<', 10;
};

subtest 'a failure is thrown by recv' => sub {
    my $failure = condvar( runner(), 'test.fail', { code => 1, message => 'no' } );
    is throws( JOB_FAILED => sub { $failure->recv } )->code, 1;
    my $late = Palitra::AnyEvent::run( 'palitra.sleep', { seconds => 60 }, timeout => 0.02 );
    throws( DEADLINE => sub { $late->recv } );
};

subtest 'a job that has finished and was told of is ready at once' => sub {
    my $runner = runner();
    my $job    = $runner->submit('palitra.echo');
    $job->wait;
    jobs()->dispatch;
    is Palitra::AnyEvent::condvar_of($job)->recv, '';
    my $streamed = $runner->submit( 'test.stream', { items => 3 } );
    $streamed->wait;
    jobs()->dispatch;
    my @items;
    $streamed->on_item( sub { push @items, @_ } );
    is_deeply \@items, [ 0 .. 2 ];
};

subtest 'each item calls back, in order' => sub {
    my $runner = runner();
    my @items;
    my $job = $runner->submit( 'test.stream', { items => 500 } );
    my $end = Palitra::AnyEvent::condvar_of($job);
    $job->on_item( sub { push @items, @_ } );
    $end->recv;
    is_deeply \@items, [ 0 .. 499 ];
    Palitra::AnyEvent::each_item( 'palitra.sleep', { seconds => 0.01 }, sub { fail('no item') } )->recv;
};

subtest 'a callback that dies does so after the others, and harms none' => sub {
    my $runner = runner();
    my ( $first, $second ) = map { $runner->submit( 'palitra.sleep', { seconds => 0.01 } ) } 1 .. 2;
    my $called = 0;
    $first->on_ready( sub { die "mine\n" } );
    $second->on_ready( sub { $called++ } );
    $_->wait for $first, $second;
    eval { jobs()->dispatch };
    is $@,      "mine\n";
    is $called, 1;
};

done_testing;
