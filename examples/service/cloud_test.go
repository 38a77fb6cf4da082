package service

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// configServer answers for one application as Spring Cloud Config does.
func configServer(t *testing.T, application, source string) (address string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/"+application+"/default" {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"name":%q,"propertySources":[{"name":"%s.yml","source":%s}]}`, application, application, source)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

const springSource = `{"spring.application.name":"town-library","server.port":9101,"spring.kafka.bootstrap-servers":"k1:9092,k2:9092",
	"spring.kafka.consumer.group-id":"readers","spring.kafka.security.protocol":"SASL_SSL","spring.kafka.properties.sasl.mechanism":"PLAIN",
	"spring.kafka.properties.sasl.jaas.config":"x required username=\"me\" password=\"hidden-one\";",
	"spring.kafka.producer.value-serializer":"org.springframework.kafka.support.serializer.JsonSerializer",
	"pabal.loan-term":"336h","pabal.topic-book-back":"returned","pabal.partitions":8,"pabal.schema":"from-server","others.key":1}`

func TestServerCountsLessThanFlagsAndEnvironment(t *testing.T) {
	t.Setenv("LIBRARY_PARTITIONS", "2")
	address := configServer(t, "library", springSource)
	c, err := parse(t.Context(), library(), []string{"--config-server=" + address, "--schema=from-flag"}, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Listen, c.Kafka.Brokers, c.Kafka.ClientID, c.Group, c.Kafka.TLS != nil, c.Kafka.SASL.Mechanism, c.Kafka.SASL.User, c.Kafka.SASL.Password,
		c.Durations["loan-term"], c.Topics["book-back"], c.Partitions, c.Schema, c.Topics["book-lent"])
	want := fmt.Sprint("127.0.0.1:9101", []string{"k1:9092", "k2:9092"}, "town-library", "readers", true, "PLAIN", "me", "hidden-one",
		"336h0m0s", "returned", 2, "from-flag", "book-lent")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestExplainConfigSaysWhereFrom(t *testing.T) {
	t.Setenv("LIBRARY_DATABASE", "postgres://u:secret@h/d")
	address := configServer(t, "library", springSource)
	var out bytes.Buffer
	server := strings.Replace(address, "//", "//u:secret@", 1)
	if code := Command(t.Context(), library(), []string{"--config-server=" + server, "--explain-config", "--group=mine"}, &out, io.Discard); code != ExitOK {
		t.Fatalf("exit %d", code)
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"group mine --group", "database postgres://u:xxxxx@h/d LIBRARY_DATABASE",
		"kafka k1:9092,k2:9092 " + address + " (library.yml)", "loan-term 336h0m0s " + address + " (library.yml): pabal.loan-term",
		"kafka-password (set) " + address, "poll-interval 1s default", "topic-book-lent book-lent default", ":xxxxx@",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, &out)
		}
	}
	if strings.Contains(text, "secret") || strings.Contains(text, "hidden-one") {
		t.Errorf("a secret is shown:\n%s", &out)
	}
}

func TestServerIsWrongOrAway(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, tt := range map[string]struct{ server, says string }{
		"unknown key":    {configServer(t, "library", `{"pabal.loan-trem":"1h"}`), "pabal.loan-trem is no setting"},
		"bad value":      {configServer(t, "library", `{"pabal.partitions":"many"}`), "partitions"},
		"placeholder":    {configServer(t, "library", `{"pabal.schema":"${NOBODY_SETS_THIS}"}`), "NOBODY_SETS_THIS"},
		"serializer":     {configServer(t, "library", `{"spring.kafka.producer.value-serializer":"a.AvroSerializer"}`), "values are JSON"},
		"away":           {gone.URL, "--config-server"},
		"not an address": {"config:8888", "http[s]://"},
	} {
		var stderr bytes.Buffer
		if code := Command(context.Background(), library(), []string{"--config-server", tt.server}, io.Discard, &stderr); code != ExitUsage || !strings.Contains(stderr.String(), tt.says) {
			t.Errorf("%s: exit %d: %s", name, code, &stderr)
		}
	}
	var stderr bytes.Buffer
	if _, err := parse(t.Context(), library(), []string{"--config-server=optional:" + gone.URL}, io.Discard, &stderr); err != nil || !strings.Contains(stderr.String(), "optional") {
		t.Errorf("an optional server that is away: %v, %s", err, &stderr)
	}
}
