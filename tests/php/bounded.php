<?php

// Is prepended to the programs of the tests: one that waits forever ends by SIGALRM.

pcntl_alarm(100);
