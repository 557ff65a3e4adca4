# What palitra throws: an object with the status, the job's own code and the message.
package Palitra::Error;

use v5.26;
use warnings;

use overload
    '""'     => sub { $_[0]->as_string },
    bool     => sub {1},
    fallback => 1;

# Throws an error of a status of the library. Without a message it says what the status means.
sub throw {
    my ( $class, $native, $status, $code, $message ) = @_;
    die $class->of( $native, $status, $code, $message );
}

sub of {
    my ( $class, $native, $status, $code, $message ) = @_;
    my $name = $native->{status_name}->($status);
    $message = $native->{status_message}->($status) if ( $message // '' ) eq '' && $name ne 'PALITRA_JOB_FAILED';
    utf8::decode($message);
    return $class->_new( $name, $code // 0, $message );
}

# Refuses an argument before it reaches a library.
sub refuse {
    my ( $class, $message ) = @_;
    die $class->_new( 'PALITRA_INVALID_ARGUMENT', 0, $message );
}

# With the place in the program that called the package.
sub _new {
    my ( $class, $status,  $code, $message ) = @_;
    my ( $depth, $package, $file, $line )    = 0;
    do { ( $package, $file, $line ) = caller $depth++ } while ( defined $package && $package =~ /^Palitra\b/ );
    return bless { status => $status, code => $code, message => $message, file => $file, line => $line }, $class;
}

# The name of the status, such as "PALITRA_BUSY".
sub status { return $_[0]{status} }

# The number that the job gave its failure; 0 otherwise.
sub code { return $_[0]{code} }

sub message { return $_[0]{message} }

sub as_string {
    my ($self) = @_;
    my $code   = $self->{status} eq 'PALITRA_JOB_FAILED' ? " $self->{code}"                        : '';
    my $place  = defined $self->{file}                   ? " at $self->{file} line $self->{line}." : '';
    return "$self->{status}$code: $self->{message}$place\n";
}

1;
