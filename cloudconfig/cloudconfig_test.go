package cloudconfig_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/cloudconfig"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]cloudconfig.Source{
		"http://c:8888":           {URL: "http://c:8888"},
		"optional:http://c:8888/": {URL: "http://c:8888", Optional: true},
		"optional:configserver:https://u:p%40@c:8888/base": {URL: "https://c:8888/base", Optional: true, User: "u", Password: "p@"},
		"configserver:http://u@c":                          {URL: "http://c", User: "u"},
	} {
		got, err := cloudconfig.Parse(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}

func TestParseRefusesWithoutRepeatingPasswords(t *testing.T) {
	for _, text := range []string{"", "optional:", "c:8888", "ftp://u:secret@c", "http://u:secret@", "http://u:secret@c?x=1", "http://u:sec%zzret@c", "http://u:secret@c:port"} {
		_, err := cloudconfig.Parse(text)
		if !errors.Is(err, cloudconfig.ErrSource) || strings.Contains(err.Error(), "sec") {
			t.Errorf("%q: %v", text, err)
		}
		if shown := cloudconfig.Redact(text); strings.Contains(shown, "sec") {
			t.Errorf("%q is shown as %q", text, shown)
		}
	}
	if shown := cloudconfig.Redact("optional:http://u:secret@c:1"); shown != "optional:http://u:xxxxx@c:1" {
		t.Errorf("shown as %s", shown)
	}
}

// server answers like a configuration server and notes what was asked.
type server struct {
	*httptest.Server
	asked   []string
	answers map[string]string // by path
}

func serve(t *testing.T, answers map[string]string) *server {
	s := &server{answers: answers}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.URL.Path)
		if user, password, _ := r.BasicAuth(); user != "u" || password != "p" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		answer, ok := s.answers[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) source(application string) cloudconfig.Source {
	return cloudconfig.Source{URL: s.URL, Application: application, User: "u", Password: "p"}
}

const answer = `{"name":"order","profiles":["default"],"label":null,"version":"abc","state":"","propertySources":[
 {"name":"order-default.yml","source":{"server.port":9101,"flag":true,"list[0]":"a","list[1]":"b","pause":null,"spring.kafka.bootstrapServers":"k1:9092, k2:9092"}},
 {"name":"application.yml","source":{"server.port":1,"list[0]":"x","list[1]":"y","list[2]":"z","who":"${USER_NAME:nobody} of ${team}","team":"food",
  "loop":"${loop2}","loop2":"x${loop}","missing":"${NOT.THERE}","cipher":"{cipher}abc","open":"${team","nested":"${none:${team}}"}}]}`

func TestProperties(t *testing.T) {
	s := serve(t, map[string]string{"/order/default": answer})
	source := s.source("order")
	source.Environ = []string{"USER_NAME=jenny"}
	p, err := source.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"server.port": "9101", "flag": "true", "pause": "", "who": "jenny of food", "nested": "food", "team": "food",
	} {
		if v, ok, err := p.Get(key); !ok || err != nil || v.Text != want {
			t.Errorf("%s is %q, %v, %v", key, v.Text, ok, err)
		}
	}
	if v, _, _ := p.Get("server.port"); p.Origin(v) != s.URL+" (order-default.yml)" {
		t.Errorf("the origin is %s", p.Origin(v))
	}
	for key, want := range map[string]string{
		"loop": "refers to itself", "missing": "${NOT.THERE} has no value", "cipher": "encrypted", "open": "not closed",
	} {
		if _, ok, err := p.Get(key); !ok || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v, %v", key, ok, err)
		}
	}
	if all, err := p.List("list"); err != nil || !reflect.DeepEqual(all, []string{"a", "b"}) {
		t.Errorf("lists of two sources are mixed: %v, %v", all, err)
	}
	if all, err := p.List("spring.kafka.bootstrap-servers"); err != nil || !reflect.DeepEqual(all, []string{"k1:9092", "k2:9092"}) {
		t.Errorf("the list is %v, %v", all, err)
	}
	if _, ok, err := p.Get("not.there"); ok || err != nil {
		t.Error("a key that is not there was found")
	}
}

func TestFetchAsksForWhatTheSourceNames(t *testing.T) {
	s := serve(t, map[string]string{
		"/order/default":           `{"propertySources":[{"name":"a","source":{"spring.profiles.active":"prod, eu"}}]}`,
		"/order/prod,eu":           `{"propertySources":[{"name":"b","source":{"x":"of prod"}}]}`,
		"/order/dev/feature(_)a b": `{"propertySources":[]}`,
	})
	p, err := s.source("order").Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if v, _, _ := p.Get("x"); v.Text != "of prod" {
		t.Errorf("the active profiles were not asked for: %v", s.asked)
	}
	labelled := s.source("order")
	labelled.Profiles, labelled.Label = []string{"dev"}, "feature/a b"
	if _, err := labelled.Fetch(t.Context()); err != nil {
		t.Errorf("%v, asked %v", err, s.asked)
	}
}

func TestFetchFails(t *testing.T) {
	s := serve(t, map[string]string{"/text/default": "hello", "/other/default": `{"status":"UP"}`, "/large/default": `"` + strings.Repeat("x", 5<<20) + `"`})
	wrongPassword := s.source("text")
	wrongPassword.Password = "q"
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, tt := range map[string]struct {
		source cloudconfig.Source
		is     error
		says   string
	}{
		"no application": {cloudconfig.Source{URL: s.URL}, cloudconfig.ErrSource, "no application"},
		"unknown":        {s.source("unknown"), cloudconfig.ErrAway, "check the address"},
		"wrong password": {wrongPassword, cloudconfig.ErrAway, "check user and password"},
		"no JSON":        {s.source("text"), cloudconfig.ErrFormat, s.URL},
		"other JSON":     {s.source("other"), cloudconfig.ErrFormat, "propertySources"},
		"too large":      {s.source("large"), cloudconfig.ErrAway, "bytes"},
		"silent":         {cloudconfig.Source{URL: silent.URL, Application: "a", Timeout: 50 * time.Millisecond}, cloudconfig.ErrAway, silent.URL},
		"gone":           {cloudconfig.Source{URL: gone.URL, Application: "a"}, cloudconfig.ErrAway, gone.URL},
	} {
		if _, err := tt.source.Fetch(t.Context()); !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func spring(t *testing.T, source string) (cloudconfig.Spring, error) {
	t.Helper()
	s := serve(t, map[string]string{"/a/default": `{"propertySources":[{"name":"a.yml","source":` + source + `}]}`})
	p, err := s.source("a").Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return p.Spring()
}

func TestSpring(t *testing.T) {
	s, err := spring(t, `{"spring.application.name":"shop","server.port":9101,"spring.kafka.bootstrap-servers[0]":"k1:9092","spring.kafka.bootstrap-servers[1]":"k2:9092",
		"spring.kafka.consumer.group-id":"shop-group","spring.kafka.client-id":"shop-1","spring.kafka.security.protocol":"SASL_SSL",
		"spring.kafka.properties.sasl.mechanism":"PLAIN","spring.kafka.properties.sasl.jaas.config":"org.apache.kafka.common.security.plain.PlainLoginModule required username=\"me\" password=\"pa\\\"ss\";",
		"spring.kafka.producer.value-serializer":"org.springframework.kafka.support.serializer.JsonSerializer",
		"spring.kafka.consumer.value-deserializer":"org.springframework.kafka.support.serializer.ErrorHandlingDeserializer",
		"spring.kafka.consumer.key-deserializer":"org.apache.kafka.common.serialization.StringDeserializer","unknown.key":"is another's"}`)
	if err != nil {
		t.Fatal(err)
	}
	if s.From["Brokers"] == "" || !strings.HasSuffix(s.From["Brokers"], "(a.yml)") {
		t.Errorf("brokers are from %q", s.From["Brokers"])
	}
	s.From = nil
	want := cloudconfig.Spring{Application: "shop", Port: "9101", Brokers: []string{"k1:9092", "k2:9092"}, Group: "shop-group", ClientID: "shop-1",
		Security: "SASL_SSL", Mechanism: "PLAIN", User: "me", Password: `pa"ss`, ContentType: "application/json"}
	if !reflect.DeepEqual(s, want) {
		t.Errorf("got %+v", s)
	}
}

func TestSpringRefuses(t *testing.T) {
	for source, says := range map[string]string{
		`{"server.port":"http"}`:  "server.port",
		`{"server.port":"99999"}`: "65535",
		`{"spring.kafka.bootstrap-servers":"a:1","spring.kafka.producer.bootstrap-servers":"b:1"}`:        "one cluster",
		`{"spring.kafka.producer.value-serializer":"io.confluent.kafka.serializers.KafkaAvroSerializer"}`: "values are JSON",
		`{"spring.kafka.producer.key-serializer":"org.apache.kafka.common.serialization.LongSerializer"}`: "keys are text",
		`{"spring.kafka.properties.sasl.jaas.config":"required username=\"u\" password=secret"}`:          "jaas",
		`{"spring.kafka.consumer.group-id":"${NOBODY}"}`:                                                  "NOBODY",
	} {
		if _, err := spring(t, source); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", source, err)
		}
	}
}
