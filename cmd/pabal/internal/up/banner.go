package up

import (
	"fmt"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
)

// defaultConsole is where the client commands look without --server.
const defaultConsole = "http://127.0.0.1:8080"

// banner says what runs where, how safe it is, and what to try.
func (s *session) banner() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "  %-8s "+format+"\n", append([]any{name}, args...)...)
	}
	fmt.Fprintf(&b, "pabal %s up\n\n", s.o.Version)
	if s.o.Config.File != "" {
		line("config", "%s (%s); see pabal config explain", s.o.Config.File, s.o.Config.FileFrom)
	}
	line("data", "%s", s.dataText())
	line("kafka", "%s", s.kafkaText())
	if s.console != nil {
		line("console", "%s", s.console.URL())
		line("api", "%sapi/v1/openapi.json", s.console.URL())
		line("access", "%s", s.accessText())
	} else {
		line("console", "%s", config.Off)
	}
	if text := s.registryText(); text != "" {
		line("registry", "%s", text)
	}
	if text := s.connectText(); text != "" {
		line("connect", "%s", text)
	}
	b.WriteString("\nTry:\n")
	for _, command := range s.commands() {
		fmt.Fprintf(&b, "  %s\n", command)
	}
	b.WriteString("\nCtrl-C stops it.\n")
	return b.String()
}

func (s *session) dataText() string {
	switch dir := s.o.Config.DataDir; {
	case dir != "" && s.embedded():
		return dir + ": the broker's log survives restarts, not crashes; use Apache Kafka (--kafka) for data you need"
	case dir != "":
		return dir + ": the console's index, redrives and audit log; messages are Kafka's"
	case s.embedded():
		return "in memory: everything is gone when this process ends (keep it with --data-dir)"
	}
	return "none: the console's index, redrives and audit log end with this process (keep them with --data-dir)"
}

func (s *session) kafkaText() string {
	text := s.kafkaAt + ", a broker in this process"
	if !s.embedded() {
		text = strings.Join(s.cluster.Brokers, ",")
	}
	if s.cluster.Prefix != "" {
		text += "; topics and groups begin with " + s.cluster.Prefix
	}
	return text
}

func (s *session) accessText() string {
	c := s.o.Config.Console
	if c.Users == "" {
		return "open: who is on this machine may do everything, others nothing (ask for passwords with --console-users)"
	}
	text := "people log in; users and tokens are in " + c.Users
	if s.files.consoleTLS == nil && c.AllowPlainHTTP {
		text += "; plain HTTP, so a proxy in front must have TLS"
	}
	return text
}

// commands are two that work as they stand while it runs.
func (s *session) commands() []string {
	if s.console == nil {
		return []string{"kcat -b " + s.kafkaAt + " -L", "pabal up --help"}
	}
	at := ""
	if url := strings.TrimSuffix(s.console.URL(), "/"); url != defaultConsole {
		at = " --server " + url
	}
	if s.files.users != nil {
		return []string{"pabal user token NAME --role operator --file " + s.o.Config.Console.Users, "PABAL_TOKEN=… pabal topics list" + at}
	}
	if !s.embedded() {
		return []string{"pabal topics list" + at, "pabal services" + at}
	}
	return []string{"pabal topics create hello --if-missing" + at, "pabal produce hello 'first message'" + at}
}
