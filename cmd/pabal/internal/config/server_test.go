package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/cloudconfig"
)

// withServer is an input whose configuration server says that.
func withServer(t *testing.T, source, file string, env []string, flags map[string]string) (Input, string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/pabal/default" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"propertySources":[{"name":"pabal.yml","source":%s}]}`, source)
	}))
	t.Cleanup(server.Close)
	in := input(file, append(env, "PABAL_CONFIG_SERVER_URL=optional:http://u:secret@"+strings.TrimPrefix(server.URL, "http://")), flags)
	in.Fetch = func(s cloudconfig.Source) (*cloudconfig.Properties, error) { return s.Fetch(t.Context()) }
	return in, server.URL
}

func TestServerCountsMoreThanDefaultsAndLessThanTheFile(t *testing.T) {
	const source = `{"pabal.console.listen":"127.0.0.1:7","pabal.lens.window":"2h","pabal.lens.include[0]":"a*","pabal.lens.include[1]":"b*",
		"pabal.dataDir":"there","spring.kafka.bootstrap-servers":"k:9092","server.port":99,"others.key":"is not ours"}`
	in, url := withServer(t, source, "lens:\n  window: 3h\n", []string{"PABAL_KAFKA_BROKERS=e:9092"}, nil)
	l, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]struct {
		text string
		from string
	}{
		"console.listen":        {"127.0.0.1:7", url + " (pabal.yml): pabal.console.listen"}, // ours counts more than Spring's
		"lens.window":           {"3h", "pabal.yaml:2"},
		"lens.include":          {"a*,b*", url + " (pabal.yml): pabal.lens.include[0]"},
		"data-dir":              {"there", url + " (pabal.yml): pabal.dataDir"},
		"kafka.brokers":         {"e:9092", "PABAL_KAFKA_BROKERS"},
		"lens.max-events":       {"2000000", "default"},
		"config-server.url":     {"optional:http://u:xxxxx@" + strings.TrimPrefix(url, "http://"), "PABAL_CONFIG_SERVER_URL"},
		"kafka.sasl.user":       {"", "default"},
		"services.token":        {"", "default"},
		"console.allowed-hosts": {"", "default"},
	} {
		s, _ := find(key)
		if text, from := s.Text(&l.Settings), l.Origin(key).String(); text != want.text || from != want.from {
			t.Errorf("%s is %q from %q, want %q from %q", key, text, from, want.text, want.from)
		}
	}
}

func TestSpringNames(t *testing.T) {
	in, url := withServer(t, `{"spring.application.name":"shop","server.port":9090,"spring.kafka.bootstrap-servers[0]":"k1:9092","spring.kafka.bootstrap-servers[1]":"k2:9092",
		"spring.kafka.security.protocol":"SASL_SSL","spring.kafka.properties.sasl.mechanism":"SCRAM-SHA-512",
		"spring.kafka.properties.sasl.jaas.config":"x required username=\"me\" password=\"hidden-one\";"}`, "", nil, nil)
	l, err := Load(in)
	if err != nil {
		t.Fatal(err)
	}
	k := l.Kafka
	if strings.Join(k.Brokers, ",") != "k1:9092,k2:9092" || !k.TLS.Enabled || k.SASL.Mechanism != "SCRAM-SHA-512" || k.SASL.User != "me" || k.SASL.Password != "hidden-one" {
		t.Errorf("Kafka is %+v", k)
	}
	if l.Console.Listen != "127.0.0.1:9090" || l.Origin("console.listen").String() != url+" (pabal.yml)" {
		t.Errorf("the console listens on %s from %s", l.Console.Listen, l.Origin("console.listen"))
	}
	for _, e := range l.Explain() {
		if strings.Contains(fmt.Sprint(e), "hidden-one") {
			t.Errorf("%s shows the password: %v", e.Key, e)
		}
	}
}

func TestServerIsWrong(t *testing.T) {
	for source, says := range map[string]string{
		`{"pabal.consol.listen":"x"}`:         "did you mean console.listen",
		`{"pabal.lens.window":"long"}`:        "it is a time such as",
		`{"pabal.lens.window":"${NOBODY}"}`:   "NOBODY",
		`{"pabal.mask.rules":"[]"}`:           "cannot come from a server",
		`{"pabal.config-server.url":"http:"}`: "cannot come from a server",
		`{"pabal.console.listen":"nowhere"}`:  "(pabal.yml)",
		`{"server.port":"many"}`:              "server.port",
	} {
		in, _ := withServer(t, source, "", nil, nil)
		if _, err := Load(in); !errors.Is(err, ErrWrong) || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", source, err)
		}
	}
}

func TestServerIsAway(t *testing.T) {
	in, _ := withServer(t, `{}`, "", nil, map[string]string{"config-server-application": "nobody"})
	l, err := Load(in)
	if err != nil || len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "optional") || strings.Contains(l.Warnings[0], "secret") {
		t.Fatalf("an optional server that is away: %v, %+v", err, l)
	}
	in.Flags["config-server"] = "http://127.0.0.1:1"
	if _, err := Load(in); !errors.Is(err, ErrWrong) || !strings.Contains(err.Error(), "--config-server") {
		t.Errorf("a required server that is away: %v", err)
	}
	in.Flags["config-server"] = "config:8888"
	if _, err := Load(in); !errors.Is(err, ErrWrong) || !strings.Contains(err.Error(), cloudconfig.Forms) {
		t.Errorf("no address: %v", err)
	}
}
