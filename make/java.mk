##@ Java

JAVA_VERSION := 0.2.0
JAVA_PACKAGE := target/java/palitra-$(JAVA_VERSION).jar
# Debian's: libjna-java, junit5.
JNA := /usr/share/java/jna.jar
JUNIT := /usr/share/java/junit-jupiter-api.jar:/usr/share/java/junit-platform-commons.jar:/usr/share/java/opentest4j.jar:/usr/share/java/apiguardian-api.jar
JAVAC := javac --release 17 -Xlint:all -Werror -encoding UTF-8
JAVA_SOURCES = $(wildcard bindings/java/src/main/java/palitra/*.java)

# The classes' time in the jar, if one is given: see make/release.mk.
JAR_DATE = $(if $(SOURCE_DATE_EPOCH),--date=$(shell date -u -d @$(SOURCE_DATE_EPOCH) +%Y-%m-%dT%H:%M:%SZ))

.PHONY: java-package test-java lint-java bench-java

# javac and jar alone: nothing is fetched.
## The jar: target/java/palitra-VERSION.jar
java-package:
	rm -rf target/java/classes $(JAVA_PACKAGE)
	$(JAVAC) -cp $(JNA) -d target/java/classes $(JAVA_SOURCES)
	jar --create --file $(JAVA_PACKAGE) $(JAR_DATE) -C target/java/classes .

test-java bench-java: export PALITRA_LIBRARY = $(PALITRA_LIBRARY_DIR)/libpalitra.so

## The tests of the Java package, from its jar
test-java: all jobs java-package
	rm -rf target/java/tests
	$(JAVAC) -Xlint:-classfile -cp $(JAVA_PACKAGE):$(JNA):$(JUNIT) -d target/java/tests tests/java/palitra/*.java
	timeout 300 java -cp $(JAVA_PACKAGE):$(JNA):target/java/tests:/usr/share/java/junit-platform-console-standalone.jar \
		org.junit.platform.console.ConsoleLauncher --scan-classpath target/java/tests --disable-banner --details tree \
		--disable-ansi-colors

# Every warning of javac is an error, of the documentation's too.
## javac and its checks of the documentation
lint-java:
	$(JAVAC) -Xdoclint:all,-missing -cp $(JNA) -d target/java/lint $(JAVA_SOURCES)
	awk 'length > 120 { print FILENAME ":" FNR ": longer than 120 columns"; bad = 1 } END { exit bad }' \
		$$(git ls-files '*.java')

## Ready jobs and gathers from Java beside a round trip between two threads
bench-java: all java-package
	java -cp $(JAVA_PACKAGE):$(JNA) benches/java/Bench.java
