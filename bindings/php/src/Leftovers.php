<?php

declare(strict_types=1);

namespace Palitra;

/**
 * Releases what a request holds of the library, also when it dies of a fatal error, such as that of the memory limit:
 * PHP calls no destructors then, and the process may live on and serve further requests.
 *
 * @internal
 */
final class Leftovers
{
    /** What the release needs where the memory limit leaves nothing, in bytes. */
    private const ROOM = 1 << 16;

    /** @var array<int, \Closure> how to release each: none refers to the object whose destructor does so */
    private static array $held = [];
    private static int $next = 0;
    private static ?self $witness = null;
    private static bool $areDestructorsCalled = false;
    private static ?string $room = null;

    /** Returns what to call `release` or `forget` with. */
    public static function add(\Closure $release): int
    {
        if (self::$next === 0) {
            self::$witness = new self();
            self::$room = str_repeat("\0", self::ROOM);
            register_shutdown_function(self::end(...));
        }
        self::$held[self::$next] = $release;
        return self::$next++;
    }

    /** Again it does nothing. */
    public static function release(int $id): void
    {
        $release = self::$held[$id] ?? null;
        unset(self::$held[$id]);
        if ($release !== null) {
            $release();
        }
    }

    public static function forget(int $id): void
    {
        unset(self::$held[$id]);
    }

    public function __destruct()
    {
        self::$areDestructorsCalled = true;
    }

    /** The end of a request: of one that died the witness is not destructed either. */
    private static function end(): void
    {
        self::$room = null;
        self::$witness = null;
        if (!self::$areDestructorsCalled) {
            // Behind the functions that the program has registered, which may still use what they hold.
            register_shutdown_function(self::releaseAll(...));
        }
    }

    /** All stay in the array meanwhile: the reply of a job may lie in memory that its gather holds. */
    private static function releaseAll(): void
    {
        foreach (self::$held as $release) {
            $release();
        }
    }
}
