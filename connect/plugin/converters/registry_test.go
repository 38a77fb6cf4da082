package converters_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/connect/converter"
	"github.com/pabal-dev/pabal/connect/data"
)

// asked is a registry that gives every schema the id 7, and remembers who asked for what.
func asked(t *testing.T) (url string, requests func() []string) {
	var mu sync.Mutex
	var all []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		mu.Lock()
		defer mu.Unlock()
		all = append(all, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+user+":"+password+" "+r.Header.Get("Authorization")))
		_ = json.NewEncoder(w).Encode(map[string]any{"id": 7, "version": 1, "schema": `"int"`})
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

func TestRegistries(t *testing.T) {
	const confluent, apicurio = "io.confluent.connect.avro.AvroConverter", "io.apicurio.registry.utils.converter.AvroConverter"
	const jsonSchema = "io.confluent.connect.json.JsonSchemaConverter"
	const strategies = "io.confluent.kafka.serializers.subject."
	for _, test := range []struct {
		class    string
		settings map[string]string
		path     string // of the API, where it is not the address itself
		want     string
		body     string // behind the id
	}{
		{jsonSchema, nil, "", "POST /subjects/t-value/versions : ", "{}"},
		{jsonSchema, map[string]string{"auto.register.schemas": "false", "value.subject.name.strategy": strategies + "RecordNameStrategy"}, "", "POST /subjects/R : ", "{}"},
		{confluent, nil, "", "POST /subjects/t-value/versions : ", ""},
		{confluent, map[string]string{"auto.register.schemas": "false"}, "", "POST /subjects/t-value : ", ""},
		{confluent, map[string]string{"basic.auth.credentials.source": "USER_INFO", "basic.auth.user.info": "u:p:q"}, "", "POST /subjects/t-value/versions u:p:q Basic", ""},
		{confluent, map[string]string{"bearer.auth.token": "secret"}, "", "POST /subjects/t-value/versions : Bearer secret", ""},
		{confluent, map[string]string{"value.subject.name.strategy": strategies + "TopicRecordNameStrategy"}, "", "POST /subjects/t-R/versions", ""},
		{apicurio, map[string]string{"apicurio.registry.auto-register": "true"}, "/apis/registry/v2", "POST /apis/ccompat/v7/subjects/t-value/versions", ""},
		{apicurio, nil, "/", "POST /subjects/t-value :", ""},
	} {
		url, requests := asked(t)
		settings := map[string]string{"schema.registry.url": url + test.path}
		if test.class == apicurio {
			settings = map[string]string{"apicurio.registry.url": url + test.path, "apicurio.registry.as-confluent": "true"}
		}
		for name, value := range test.settings {
			settings[name] = value
		}
		s := data.StructOf("R")
		b, err := newConverter(t, test.class, settings).Encode("t", s, data.NewStruct(s))
		if err != nil || !strings.HasPrefix(string(b), "\x00\x00\x00\x00\x07") || len(b) != 5+len(test.body) || string(b[5:]) != test.body {
			t.Errorf("%v: % x %v", test.settings, b, err)
		}
		if got := requests(); len(got) != 1 || !strings.HasPrefix(got[0]+" ", test.want) {
			t.Errorf("%v: %q, want %q", test.settings, got, test.want)
		}
	}
	for class, wrong := range map[string][]map[string]string{
		confluent: {
			{}, {"schema.registry.url": "ftp://x"}, {"schema.registry.url": "http://x", "use.latest.version": "true"},
			{"schema.registry.url": "http://x", "key.subject.name.strategy": "Mine"}, {"schema.registry.url": "http://x", "basic.auth.credentials.source": "SASL"},
		},
		jsonSchema: {{}, {"schema.registry.url": "http://x", "decimal.format": "TEXT"}, {"schema.registry.url": "http://x", "json.write.dates.iso8601": "true"}},
		apicurio:   {{}, {"apicurio.registry.url": "http://x"}, {"apicurio.registry.url": "http://x", "apicurio.registry.as-confluent": "true", "apicurio.registry.headers.enabled": "true"}},
	} {
		for _, settings := range wrong {
			if _, err := find(t, class).Config.Must(settings); err == nil {
				t.Errorf("%s %v: %v", class, settings, err)
			}
		}
	}
	c := newConverter(t, confluent, map[string]string{"schema.registry.url": "http://x"})
	if _, err := c.Encode("t", nil, "x"); !errors.Is(err, data.ErrData) {
		t.Error(err)
	}
}

// TestCloseEndsWaiting for a registry that does not answer.
func TestCloseEndsWaiting(t *testing.T) {
	for _, class := range []string{"io.confluent.connect.avro.AvroConverter", "io.confluent.connect.json.JsonSchemaConverter"} {
		asked := make(chan struct{}, 100)
		server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // so that its end is seen
			asked <- struct{}{}
			<-r.Context().Done()
		}))
		c := newConverter(t, class, map[string]string{"schema.registry.url": server.URL})
		began := time.Now()
		failed := make(chan error, 1)
		go func() {
			_, err := c.Encode("t", data.Of(data.String), "x")
			failed <- err
		}()
		<-asked
		if err := c.(io.Closer).Close(); err != nil {
			t.Error(err)
		}
		if err := <-failed; !errors.Is(err, converter.ErrRetry) {
			t.Errorf("%s: %v", class, err)
		}
		if took := time.Since(began); took > 9*time.Second { // one request may take 10 s, all of them 30
			t.Errorf("%s: it waited for %v", class, took)
		}
		if _, err := c.Encode("t", data.Of(data.Int32), int32(1)); !errors.Is(err, converter.ErrRetry) {
			t.Errorf("%s, closed: %v", class, err)
		}
		server.Close()
	}
}
