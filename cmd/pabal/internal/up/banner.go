package up

import (
	"cmp"
	"fmt"
	"net"
	"strings"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/config"
	"github.com/pabal-dev/pabal/console/api"
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
		return dir + ": " + durabilityText(s.o.Config.Durability())
	case dir != "":
		return dir + ": the console's index, redrives and audit log; messages are Kafka's"
	case s.embedded():
		return "in memory: everything is gone when this process ends (keep it with --data-dir)"
	}
	return "none: the console's index, redrives and audit log end with this process (keep them with --data-dir)"
}

// durabilityText says what an acknowledgement means, where there is a folder.
func durabilityText(durability string) string {
	switch durability {
	case config.OS:
		return "records that were acknowledged survive the end and the kill of this process, but not a power cut (--durability=fsync does)"
	case config.Memory:
		return "the console's index, redrives and audit log; records are in memory and gone when this process ends (--durability=fsync keeps them)"
	}
	return "records that were acknowledged are on the disk: they survive a kill of this process and a power cut"
}

func (s *session) kafkaText() string {
	text := strings.Join(s.cluster.Brokers, ",")
	if s.embedded() {
		text = cmp.Or(s.o.Config.Broker.Advertised, s.kafkaAt) + ", a broker in this process" + s.brokerAccessText()
	}
	if s.cluster.Prefix != "" {
		text += "; topics and groups begin with " + s.cluster.Prefix
	}
	return text
}

// brokerAccessText says who gets in, where that is not just this machine.
func (s *session) brokerAccessText() string {
	b := s.o.Config.Broker
	text := ""
	if s.files.brokerTLS != nil {
		text += "; TLS"
	}
	if b.TLSClientCA != "" {
		text += "; clients show a certificate"
	}
	if b.Users != "" {
		text += "; clients log in, users are in " + b.Users
	}
	if b.ACLs {
		text += "; access rules decide who may do what"
	}
	if host, _, err := net.SplitHostPort(s.kafkaAt); err == nil && !api.Loopback(host) && !b.Authenticates() {
		text += "; OPEN: whoever reaches it may read and write everything"
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
