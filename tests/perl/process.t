# The end of a process with jobs in flight, signals, forked children, and the program of the README.
use v5.26;
use warnings;
use lib 'tests/perl/lib';
use Helpers;
use Test::More;

my $start = <<'PERL';
use v5.26;
use warnings;
use Palitra qw(run gather submit stream);
$| = 1;
my @never = ('palitra.sleep', { seconds => 3600 });
PERL

sub ends {
    my ( $text, $wanted, $wanted_code ) = @_;
    my ( $output, $code ) = program( $start . $text );
    is $output, $wanted,      $text;
    is $code,   $wanted_code, 'its exit code';
    return;
}

subtest 'a process may end with jobs in flight' => sub {
    ends( 'our $job = submit(@never); our $items = stream(@never);',                              '',       0 );
    ends( 'my $job = submit(@never); exit 3;',                                                    '',       3 );
    ends( 'our $runner = Palitra::Runner->new; our $job = $runner->submit(@never); die "mine\n"', "mine\n", 255 );
    ends( 'use Palitra::AnyEvent; our $c = Palitra::AnyEvent::run(@never); print "ends"; exit 4', 'ends',   4 );
    ends( '$SIG{ALRM} = sub { exit 5 }; alarm 1; run(@never)',                                    '',       5 );
};

subtest 'Ctrl-C ends a program that waits, by its handler too' => sub {
    my @waits = (
        'run(@never)',
        'gather([[@never], [@never]])',
        'submit(@never)->wait;',
        'submit(@never)->next',
        'Palitra::AnyEvent::run(@never)->recv',
        'our $job = submit(@never); Palitra::shutdown_global_runner(grace => 3600)',
        'our $runner = Palitra::Runner->new; our $job = $runner->submit(@never); $runner->shutdown(grace => "Inf")',
    );

    # All is loaded before: AnyEvent looks for its model in an eval, in which the handler would die unheard.
    my $loaded    = 'use Palitra::AnyEvent; AnyEvent::detect(); run("palitra.echo");';
    my $interrupt = $loaded . 'system "(sleep 0.3; kill -INT $$) &";';
    for my $wait (@waits) {
        my ( $output, $code ) = program("$start $interrupt $wait");
        is $output, '',  $wait;
        is $code,   130, 'ended by SIGINT';
        ($output) = program(qq{$start \$SIG{INT} = sub { die "interrupted\\n" }; $interrupt $wait});
        is $output, "interrupted\n", "$wait, with a handler";
    }
};

subtest 'a handler that dies cancels what was waited for' => sub {
    my $runner = runner();
    for my $wait ( sub { $runner->run('test.never') }, sub { $runner->gather( [ ['test.never'], ['test.never'] ] ) } ) {
        local $SIG{ALRM} = sub { die "alarm\n" };
        Time::HiRes::alarm(0.1);
        eval { $wait->() };
        is $@, "alarm\n";
    }
    till( sub { $runner->stats->{cancelled} == 3 } );
};

subtest 'a handler may run a job while one is waited for' => sub {
    my $inner;
    local $SIG{ALRM} = sub { $inner = Palitra::run( 'palitra.echo', 'inner' ) };
    Time::HiRes::alarm(0.05);
    is Palitra::run( 'palitra.sleep', { seconds => 0.3 } )->{seconds}, 0.3;
    is $inner,                                                         'inner';
};

subtest 'a handler runs during a shutdown, whose grace period only one that dies ends' => sub {
    my $runner = runner();
    my $never  = $runner->submit('test.never');
    my $last;
    local $SIG{ALRM} = sub { $last = $runner->submit( 'palitra.sleep', { seconds => 0.3 } ); $never->cancel };
    Time::HiRes::alarm(0.3);
    ok $runner->shutdown( grace => 3600 );
    is $last->wait->{seconds}, 0.3;

    $runner = runner();
    $never  = $runner->submit('test.never');
    local $SIG{ALRM} = sub { die "alarm\n" };
    Time::HiRes::alarm(0.3);
    eval { $runner->shutdown( grace => 3600 ) };
    is $@, "alarm\n";
    ok !$runner->is_alive;
    throws( CANCELLED => sub { $never->wait } );
};

subtest q(a forked child has runners of its own, and its parent's refuse) => sub {
    ends( <<'PERL', "PALITRA_FORKED\nPALITRA_FORKED\nalone\n0.01\nok\nparent\nx\n", 0 );
        my $runner = Palitra::Runner->new;
        my $job = $runner->submit('palitra.echo', 'x');
        run('palitra.echo');
        if (my $child = fork) {
            waitpid $child, 0;
            say $? == 0 ? 'ok' : $?;
            say $runner->run('palitra.echo', 'parent');
            say $job->wait;
        }
        else {
            say $@->status if !eval { $runner->run('palitra.echo') };
            say $@->status if !eval { $job->wait };
            say run('palitra.echo', 'alone');
            require Palitra::AnyEvent;
            say Palitra::AnyEvent::run('palitra.sleep', { seconds => 0.01 })->recv->{seconds};
        }
PERL
};

subtest q(the README's first program runs as it stands) => sub {
    open my $file, '<', 'bindings/perl/README.md' or die $!;
    my $readme    = do { local $/ = undef; <$file> };
    my ($text)    = $readme =~ /```perl\n(.*?)```/s;
    my ($printed) = $readme =~ /```text\n(.*?)```/s;
    is_deeply [ program($text) ], [ $printed, 0 ];
};

done_testing;
