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
	fmt.Fprintf(&b, "pabal %s demo: orders over four services, one log and four databases\n\n", s.o.Version)
	line("data", "%s", s.dataText())
	line("log", "%s", s.logText())
	line("databases", "%s", s.databaseText())
	for i, name := range serviceNames {
		line(name, "http://%s", s.addresses.services[i])
	}
	line("logs", "%s", s.logPath)
	if s.o.Chaos {
		line("chaos", "each service is a process of its own; every few seconds one is killed")
	}
	fmt.Fprintf(&b, "  %-11s %v orders/s, seed %d, %s\n\nTry:\n", "traffic", s.o.Rate, s.o.Seed, s.untilText())
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
	return fmt.Sprintf("Kafka protocol in process on %s: it survives restarts, not crashes; use Kafka for data you need", s.addresses.kafka)
}

func (s *session) databaseText() string {
	if s.o.postgres() {
		return fmt.Sprintf("PostgreSQL at %s; schemas begin with pabal_demo_%s_", redact(s.o.Database), s.folder.manifest.Run)
	}
	return "SQLite, one file per service; what is answered is on disk"
}

func (s *session) untilText() string {
	if s.o.Duration == 0 {
		return "until Ctrl-C"
	}
	return "for " + s.o.Duration.String()
}

// commands are two that work as they stand while the demo runs.
func (s *session) commands() []string {
	sample := s.traffic.Sample()
	return []string{
		fmt.Sprintf(`curl -s http://%s/orders -H 'Content-Type: application/json' -d '{"customerId":"%s","restaurantId":"%s","items":[{"productId":"%s","quantity":1}],"price":%d}'`,
			s.addresses.services[0], sample.Customer, sample.Restaurant, sample.Product, sample.Price),
		fmt.Sprintf(`curl -s http://%s/credits/%s`, s.addresses.services[1], sample.Customer),
	}
}
