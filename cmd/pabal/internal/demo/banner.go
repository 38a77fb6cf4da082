package demo

import (
	"fmt"
	"strings"
)

// banner says what runs where, how safe it is, and what to try.
func (s *session) banner() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-11s "+format+"\n", append([]any{name}, args...)...)
	}
	fmt.Fprintf(&b, "pabal %s demo: %s over %s, one log and %s\n\n", s.o.Version, s.o.work(), counted(len(s.services), "service"), counted(len(s.dbs.all), "database"))
	line("data", "%s", s.dataText())
	line("log", "%s", s.logText())
	line("databases", "%s", s.databaseText())
	if s.registry != nil {
		line("registry", "%s: the schemas of events in Avro; %s", s.registry.URL(), s.o.codecText())
	}
	if s.capture != nil {
		line("outbox", "change data capture: connector %s publishes through slot %s; no relay runs", connectorName, s.capture.slot)
		line("connect", "%s", s.capture.server.URL())
	}
	if s.redis != nil {
		line("redis", "%s", s.redisText())
	}
	for _, one := range s.services {
		line(one.Name, "http://%s", one.Listen)
	}
	if s.console != nil {
		line("console", "%s", s.console.URL())
	}
	line("logs", "%s", s.logPath)
	if s.o.Chaos {
		line("chaos", "%s", s.chaosText())
	}
	line("traffic", "%s, seed %d, %s", s.rateText(), s.o.Seed, s.untilText())
	b.WriteString("\nTry:\n")
	for _, command := range s.commands() {
		fmt.Fprintf(&b, "  %s\n", command)
	}
	return b.String() + "\n"
}

func (s *session) dataText() string {
	if s.folder.temporary {
		return s.folder.path + ", fresh; removed when every invariant holds (keep one with --data-dir)"
	}
	return fmt.Sprintf("%s, kept; start number %d", s.folder.path, s.folder.manifest.Starts)
}

func (s *session) logText() string {
	switch {
	case !s.o.embedded():
		return fmt.Sprintf("Kafka at %s; topics and groups begin with %s", s.o.kafkaName(), s.cluster.Prefix)
	case s.folder.temporary:
		return fmt.Sprintf("Kafka protocol in process on %s, in memory: it ends with this process", s.addresses.kafka)
	}
	place := "in process"
	if s.broker != nil {
		place = "in a process of its own"
	}
	return fmt.Sprintf("Kafka protocol %s on %s; records that were acknowledged are on the disk: they survive a kill and a power cut", place, s.addresses.kafka)
}

func (s *session) chaosText() string {
	if s.broker != nil {
		return "the broker and each service are processes of their own; every few seconds one is killed, each third time the broker"
	}
	return "each service is a process of its own; every few seconds one is killed"
}

func (s *session) databaseText() string {
	if s.o.postgres() {
		return fmt.Sprintf("PostgreSQL at %s; schemas begin with pabal_demo_%s_", redact(s.o.Database), s.folder.manifest.Run)
	}
	return "SQLite, one file per service; what is answered is on disk"
}

func (s *session) redisText() string {
	if s.redis.mini != nil {
		return fmt.Sprintf("Redis protocol in process (embedded) on %s, in memory: it has a copy of a table", s.redis.mini.Addr())
	}
	return fmt.Sprintf("Redis at %s: it has a copy of a table", redact(s.redis.url))
}

func (s *session) untilText() string {
	if s.o.Duration == 0 {
		return "until Ctrl-C"
	}
	return "for " + s.o.Duration.String()
}

func (s *session) rateText() string {
	if n := len(s.scenarios); n > 1 {
		return fmt.Sprintf("%v/s, as many %s", s.o.Rate, s.o.work())
	}
	return fmt.Sprintf("%v %s/s", s.o.Rate, s.o.work())
}

// counted is a small number as a word, of things.
func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return number(n) + " " + what
}

// number is a small number as a word.
func number(n int) string {
	words := []string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"}
	if n < len(words) {
		return words[n]
	}
	return fmt.Sprint(n)
}

// commands are some that work as they stand while the demo runs.
func (s *session) commands() (all []string) {
	for _, one := range s.scenarios {
		all = append(all, one.try()...)
	}
	if s.capture != nil {
		all = append(all, fmt.Sprintf("curl -s %s/connectors/%s/status", s.capture.server.URL(), connectorName))
	}
	if s.console != nil {
		all = append(all, "pabal trace --limit 5"+s.server())
	}
	return all
}

// server is the flag that finds the console, "" where it is at the usual place.
func (s *session) server() string {
	url := strings.TrimSuffix(s.console.URL(), "/")
	if url == "http://127.0.0.1:8080" {
		return ""
	}
	return " --server " + url
}
