<?php

// The conformance scenarios through the PHP binding: README.md says what an interpreter is.
//
// Called by tests/conformance.rs, after tests/conformance/beneath.sh:
//
//     php tests/conformance/conformance.php FILE
//
// It judges nothing and exits with 0 when it has come to the end of the file. A token is the job that `submit` returns.
// What a program in PHP cannot do, or cannot get wrong, is done by the C functions beneath, and said there.

declare(strict_types=1);

use Palitra\BadPayloadException;
use Palitra\Gather;
use Palitra\Job;
use Palitra\JobException;
use Palitra\JobPanickedException;
use Palitra\Library;
use Palitra\PalitraException;
use Palitra\Runner;

require __DIR__ . '/../../bindings/php/autoload.php';

putenv('PALITRA_LIBRARY=' . getenv('PALITRA_LIBRARY_DIR') . '/libpalitra_test_jobs.so');

/** What steps come to, in the words of the file. */
final class Outcome
{
    public static function name(int $status): string
    {
        return substr(Library::shipped()->ffi->palitra_status_name($status), strlen('PALITRA_'));
    }

    public static function ofValue(mixed $value): string
    {
        return rtrim('OK ' . (is_string($value) ? $value : Library::json($value)));
    }

    public static function ofFailure(PalitraException $failure): string
    {
        $status = substr($failure->status, strlen('PALITRA_'));
        return match (true) {
            $failure instanceof BadPayloadException,
            $failure instanceof JobPanickedException => "$status {$failure->getMessage()}",
            $failure instanceof JobException => rtrim("$status {$failure->getCode()} {$failure->getMessage()}"),
            default => $status,
        };
    }

    /** What a call that fills a reply came to. */
    public static function ofReply(callable $call): string
    {
        try {
            return self::ofValue($call());
        } catch (PalitraException $failure) {
            return self::ofFailure($failure);
        }
    }

    /** What a call that fills no reply came to. */
    public static function ofStatus(callable $call): string
    {
        try {
            $call();
            return 'OK';
        } catch (PalitraException $failure) {
            return self::ofFailure($failure);
        }
    }

    /** What a reply says that a function beneath has filled. */
    public static function beneath(FFI\CData $reply): string
    {
        $isPending = $reply->status === Palitra\Status::PENDING;
        $outcome = self::ofReply(fn() => Library::shipped()->valueOf($reply));
        return $isPending ? 'PENDING' : $outcome;
    }
}

/** A submitted job, and its handle. */
final class Token
{
    public readonly FFI\CData $handle;
    private ?Generator $items = null;
    private bool $isBare = false;

    public function __construct(public readonly Job $job, public readonly string $runner)
    {
        $this->handle = (fn(): FFI\CData => $this->token)->call($job);
    }

    public function wait(?float $timeout = null): string
    {
        if ($this->isBare) {
            $reply = Library::shipped()->new('palitra_reply');
            Library::shipped()->ffi->palitra_token_poll($this->handle, FFI::addr($reply));
            return Outcome::beneath($reply);
        }
        return $this->job->wait($timeout) ? Outcome::ofReply(fn() => $this->job->value()) : 'PENDING';
    }

    public function next(): string
    {
        try {
            // An iterator ends with its failure; another of the same job tells it again.
            if ($this->items === null || !$this->items->valid()) {
                $this->items = $this->job->getIterator();
            } else {
                $this->items->next();
            }
            return $this->items->valid() ? Outcome::ofValue($this->items->current()) : 'END';
        } catch (PalitraException $failure) {
            return Outcome::ofFailure($failure);
        }
    }

    /** A job that is gone frees its token. Here it lives on, with a handle that has become stale. */
    public function free(): void
    {
        $this->isBare = true;
        Library::shipped()->ffi->palitra_token_free($this->handle);
    }
}

/** The verbs. */
final class Scenario
{
    public int $steps = 0;
    private Library $library;
    /** @var array<string, Runner> */
    private array $runners = [];
    /** @var array<string, Token> */
    private array $tokens = [];
    /** @var array<string, array{FFI\CData, int}> */
    private array $threads = [];
    /** @var list<Gather> */
    private array $gathers = [];

    public function __construct(public readonly string $name, private readonly FFI $beneath)
    {
        $this->library = Library::shipped();
    }

    /** @param list<string> $words */
    public function carryOut(array $words): string
    {
        $verb = array_shift($words);
        $named = [];
        while ($words !== [] && preg_match('/^([a-z_]+)=(.*)$/', end($words), $option)) {
            $named[$option[1]] = $option[2];
            array_pop($words);
        }
        try {
            return $this->{'step' . str_replace('_', '', ucwords($verb, '_'))}($words, $named);
        } catch (Throwable $thrown) {
            return 'error: ' . str_replace("\n", ' ', (string) $thrown);
        }
    }

    public function freeEverything(): void
    {
        foreach ($this->tokens as $token) {
            $token->free();
        }
        foreach ($this->runners as $runner) {
            $runner->close();
        }
        $this->tokens = $this->runners = $this->gathers = [];
    }

    private function stepRunner(array $words, array $named): string
    {
        $config = isset($named['config']) ? json_decode($named['config']) ?? $this->text($named['config']) : null;
        $limits = [(int) ($named['max_in_flight'] ?? 0), (int) ($named['max_payload'] ?? 0)];
        return Outcome::ofStatus(fn() => $this->runners[$words[0]] = new Runner(...$limits, config: $config));
    }

    private function stepAlive(array $words): string
    {
        return $this->runners[$words[0]]->isAlive() ? 'true' : 'false';
    }

    private function stepSubmit(array $words, array $named): string
    {
        [$name, $runner, $job, $payload] = $words;
        return Outcome::ofStatus(function () use ($name, $runner, $job, $payload, $named): void {
            $timeout = isset($named['deadline']) ? self::seconds($named['deadline']) : null;
            $submitted = $this->runners[$runner]->submit($job, $this->payload($job, $payload), $timeout);
            $this->tokens[$name] = new Token($submitted, $runner);
        });
    }

    /** What `gather` submits with: no method returns the jobs. */
    private function stepSubmitMany(array $words): string
    {
        $runner = array_shift($words);
        $submitted = array_chunk($words, 3);
        $encode = fn(array $job): array => [$job[1], $this->library->encode($job[1], $this->payload($job[1], $job[2]))];
        $gather = new Gather($this->library, $this->handle($runner), array_map($encode, $submitted));
        $this->gathers[] = $gather;
        $refusal = Outcome::ofStatus(fn() => $gather->submit(null));
        $tokens = $gather->tokens();
        foreach ($tokens as $i => $token) {
            $this->tokens[$submitted[$i][0]] = new Token(new Job($this->library, $token, isOurs: false), $runner);
        }
        return "$refusal " . count($tokens);
    }

    private function stepRun(array $words, array $named): string
    {
        [$runner, $job, $payload] = $words;
        $timeout = isset($named['timeout']) ? self::seconds($named['timeout']) : null;
        return Outcome::ofReply(fn() => $this->runners[$runner]->run($job, $this->payload($job, $payload), $timeout));
    }

    private function stepWait(array $words): string
    {
        return $this->tokens[$words[0]]->wait(isset($words[1]) ? self::seconds($words[1]) : null);
    }

    private function stepPoll(array $words): string
    {
        return $this->tokens[$words[0]]->wait(0);
    }

    private function stepCancel(array $words): string
    {
        return Outcome::ofStatus(fn() => $this->tokens[$words[0]]->job->cancel());
    }

    /** `gather` submits what it gathers, so this calls what it waits with. */
    private function stepGather(array $words): string
    {
        $isFailFast = $words[0] === 'fail_fast';
        $names = array_slice($words, $isFailFast ? 1 : 0);
        $replies = $this->library->ffi->new('palitra_reply[' . count($names) . ']');
        $this->library->ffi->palitra_runner_gather(
            $this->handle($this->tokens[$names[0]]->runner),
            $this->handles($this->library->ffi, 'palitra_token', $names),
            count($names),
            $isFailFast ? Palitra\Status::FAIL_FAST : 0,
            -1,
            $replies,
        );
        return self::outcomes($replies, count($names));
    }

    private function stepNext(array $words): string
    {
        return $this->tokens[$words[0]]->next();
    }

    private function stepDrain(array $words): string
    {
        $items = [];
        while (str_starts_with($item = $this->stepNext($words), 'OK')) {
            $items[] = substr($item, strlen('OK '));
        }
        return implode(' ', [...$items, $item]);
    }

    private function stepProgress(array $words): string
    {
        return 'OK ' . implode(' ', $this->tokens[$words[0]]->job->progress());
    }

    private function stepFree(array $words): string
    {
        isset($this->tokens[$words[0]]) ? $this->tokens[$words[0]]->free() : $this->runners[$words[0]]->close();
        return 'OK';
    }

    /** Nobody can make a job or a runner of a number. */
    private function stepForged(array $words): string
    {
        $forged = $this->library->new("palitra_$words[0]");
        $forged->id = 0x0123456789abcdef;
        $ffi = $this->library->ffi;
        return Outcome::name($words[0] === 'token'
            ? $ffi->palitra_token_poll($forged, null)
            : $ffi->palitra_runner_submit($forged, 'palitra.echo', '', 0, null, null));
    }

    private function stepShutdown(array $words): string
    {
        try {
            return $this->runners[$words[0]]->shutdown(self::seconds($words[1])) ? 'OK' : 'PENDING';
        } catch (PalitraException $failure) {
            return Outcome::ofFailure($failure);
        }
    }

    /** No function of PHP runs on the runner's thread. */
    private function stepCallback(array $words): string
    {
        [$token, , $other] = $words;
        $reply = $this->library->new('palitra_reply');
        [$first, $second] = [$this->tokens[$token]->handle->id, $this->tokens[$other]->handle->id];
        $this->beneath->beneath_callback($first, $second, FFI::addr($reply));
        return Outcome::beneath($reply);
    }

    private function stepReady(array $words): string
    {
        $reply = $this->library->new('palitra_reply');
        $this->beneath->beneath_ready($this->tokens[$words[0]]->handle->id, FFI::addr($reply));
        return Outcome::beneath($reply);
    }

    /** The package registers no functions of PHP as jobs. */
    private function stepRegister(array $words): string
    {
        [$runner, $job, $does] = $words;
        return Outcome::name($this->beneath->beneath_register($this->handle($runner)->id, $job, $does));
    }

    private function stepNote(array $words): string
    {
        return $this->beneath->beneath_note($words[0]);
    }

    /** PHP has one thread. */
    private function stepThread(array $words): string
    {
        [$name, $verb, $subject] = $words;
        if ($verb === 'run') {
            $payload = $this->library->encode($words[3], $this->payload($words[3], $words[4]));
            $runner = $this->handle($subject)->id;
            $this->threads[$name] = [$this->beneath->beneath_run($runner, $words[3], $payload, strlen($payload)), 1];
        } else {
            $names = array_slice($words, 2);
            $runner = $this->handle($this->tokens[$subject]->runner)->id;
            $tokens = $this->handles($this->beneath, 'uint64_t', $names);
            $this->threads[$name] = [$this->beneath->beneath_gather($runner, $tokens, count($names)), count($names)];
        }
        return 'OK';
    }

    private function stepJoin(array $words): string
    {
        [$thread, $count] = $this->threads[$words[0]];
        $replies = $this->library->ffi->new("palitra_reply[$count]");
        $this->beneath->beneath_join($thread, $replies);
        return self::outcomes($replies, $count);
    }

    /** A child of a threaded process that does not return to PHP. tests/php has children that do. */
    private function stepFork(array $words): string
    {
        $handle = match ($words[0]) {
            'wait' => $this->tokens[$words[1]]->handle->id,
            'run' => $this->handle($words[1])->id,
            'global' => 0,
        };
        $ended = $this->beneath->beneath_fork($words[0], $handle);
        return $ended < 0 ? 'error: signal ' . -$ended : Outcome::name($ended);
    }

    private static function seconds(string $time): float
    {
        return (int) $time / (str_ends_with($time, 'ms') ? 1000 : 1);
    }

    /** As a program gives it: what a JSON job takes as a value. */
    private function payload(string $job, string $word): mixed
    {
        $input = array_column($this->library->jobs(), 'input', 'name')[$job] ?? 'bytes';
        return $word === '-' ? null : ($input === 'json' ? json_decode($word) : $word);
    }

    /** A program configures with an array or an object. This is none in JSON. */
    private function text(string $text): JsonSerializable
    {
        return new class ($text) implements JsonSerializable {
            public function __construct(private readonly string $text)
            {
            }

            public function jsonSerialize(): string
            {
                return $this->text;
            }
        };
    }

    private function handle(string $runner): FFI\CData
    {
        return (fn(): FFI\CData => $this->handle)->call($this->runners[$runner]);
    }

    private function handles(FFI $ffi, string $type, array $names): FFI\CData
    {
        $handles = $ffi->new("{$type}[" . count($names) . ']');
        foreach ($names as $i => $name) {
            $token = $this->tokens[$name]->handle;
            $handles[$i] = $type === 'uint64_t' ? $token->id : $token;
        }
        return $handles;
    }

    private static function outcomes(FFI\CData $replies, int $count): string
    {
        return implode(' | ', array_map(fn(int $i): string => Outcome::beneath($replies[$i]), range(0, $count - 1)));
    }
}

$beneath = FFI::cdef(
    'void *beneath_run(uint64_t runner, const char *job, const char *payload, size_t len);
    void *beneath_gather(uint64_t runner, const uint64_t *tokens, size_t n);
    void beneath_join(void *thread, void *replies);
    int32_t beneath_callback(uint64_t token, uint64_t other, void *reply);
    int32_t beneath_ready(uint64_t token, void *reply);
    int32_t beneath_register(uint64_t runner, const char *job, const char *does);
    const char *beneath_note(const char *job);
    int32_t beneath_fork(const char *call, uint64_t handle);',
    __DIR__ . '/../../target/conformance-beneath.so',
);
$scenario = new Scenario('', $beneath);
foreach (file($argv[1], FILE_IGNORE_NEW_LINES | FILE_SKIP_EMPTY_LINES) as $line) {
    $words = explode(' ', $line);
    if ($words[0] === 'scenario') {
        $scenario->freeEverything();
        $scenario = new Scenario($words[1], $beneath);
        continue;
    }
    $scenario->steps++;
    fwrite(STDOUT, "{$scenario->name}\t{$scenario->steps}\t{$scenario->carryOut($words)}\n");
}
$scenario->freeEverything();
