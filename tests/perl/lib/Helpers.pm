# What the tests share: the library with the test jobs, failures, and programs of their own.
package Helpers;

use v5.26;
use warnings;
use Exporter 'import';
use File::Temp;
use Palitra;
use Test::More;
use Time::HiRes qw(sleep time);

our @EXPORT = qw(jobs runner throws till program);

# The library with the test jobs.
sub jobs {
    return Palitra::load("$ENV{PALITRA_LIBRARY_DIR}/libpalitra_test_jobs.so");
}

# A runner of the test jobs.
sub runner {
    my (%options) = @_;
    return Palitra::Runner->new( library => jobs(), %options );
}

# Calls what must throw an error of a status, and returns the error.
sub throws {
    my ( $status, $call, $name ) = @_;
    eval { $call->(); 1 } and return fail( $name // "throws $status" );
    ref $@ && $@->isa('Palitra::Error') or return fail( ( $name // $status ) . ": $@" );
    my $error = $@;
    is $error->status, "PALITRA_$status", $name // "throws $status";
    return $error;
}

# Asks until it is so, for half a minute at the most.
sub till {
    my ( $condition, $name ) = @_;
    my $deadline = time + 30;
    until ( $condition->() ) {
        return fail($name) if time > $deadline;
        sleep 0.005;
    }
    return pass($name);
}

# Runs a program: what it prints on both outputs, and its exit code, or 128 and the number of its signal.
sub program {
    my ($text) = @_;
    my $file = File::Temp->new( SUFFIX => '.pl' );
    print {$file} $text;
    close $file or die $!;
    my $output = qx{timeout -k 2 30 $^X $file 2>&1};
    return ( $output, $? & 127 ? 128 + ( $? & 127 ) : $? >> 8 );
}

1;
