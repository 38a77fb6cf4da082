package registry_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// server is a registry with its API.
type server struct {
	*registry.Registry
	url string
}

func start(t testing.TB, c registry.Config) *server {
	t.Helper()
	c.Logger = quiet()
	r, err := registry.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(r.Handler())
	t.Cleanup(func() {
		s.Close()
		r.Close()
	})
	return &server{r, s.URL}
}

// onBoth runs a test with the broker in process and with Apache Kafka.
func onBoth(t *testing.T, test func(*testing.T, kafka.Config)) {
	t.Run("in process", func(t *testing.T) { test(t, kafkatest.Start(t).Config) })
	t.Run("Apache Kafka", func(t *testing.T) {
		test(t, kafka.Config{Brokers: testenv.Kafka(t), Prefix: testenv.Prefix(t), Logger: quiet()})
	})
}

// ask sends a request and returns the status and the body.
func (s *server) ask(t testing.TB, method, path, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", registry.ContentType)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header.Get("Content-Type"); got != registry.ContentType && resp.StatusCode != http.StatusNoContent {
		t.Errorf("%s %s: the content type is %s", method, path, got)
	}
	return resp.StatusCode, strings.TrimSpace(string(data))
}

func schema(text string) string {
	body, _ := json.Marshal(map[string]string{"schema": text})
	return string(body)
}

func jsonSchema(text string) string {
	body, _ := json.Marshal(map[string]string{"schema": text, "schemaType": "JSON"})
	return string(body)
}

// plain leaves out what differs from run to run.
func plain(t testing.TB, body string) string {
	t.Helper()
	var m map[string]any
	if json.Unmarshal([]byte(body), &m) != nil || m["guid"] == nil {
		return body
	}
	delete(m, "ts")
	delete(m, "guid")
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestREST is the API request by request.
func TestREST(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg kafka.Config) {
		s := start(t, registry.Config{Kafka: cfg})
		const r1, r2 = `{"type":"record","name":"R","fields":[]}`, `{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":1}]}`
		const r1Quoted = `{\"type\":\"record\",\"name\":\"R\",\"fields\":[]}`
		for _, c := range []struct {
			method, path, body string
			status             int
			want               string // beginning with ~: contains
		}{
			{"GET", "/", "", 200, `{}`},
			{"GET", "/schemas/types", "", 200, `["JSON","AVRO"]`},
			{"GET", "/subjects", "", 200, `[]`},
			{"GET", "/contexts", "", 200, `["."]`},
			{"GET", "/v1/metadata/id", "", 200, `~"kafka-cluster"`},
			{"GET", "/v1/metadata/version", "", 200, `~"version"`},
			{"GET", "/config", "", 200, `{"compatibilityLevel":"BACKWARD"}`},
			{"GET", "/mode", "", 200, `{"mode":"READWRITE"}`},
			{"GET", "/nothing", "", 404, `{"error_code":404,"message":"HTTP 404 Not Found"}`},
			{"PUT", "/subjects", "", 405, `{"error_code":405,"message":"HTTP 405 Method Not Allowed"}`},

			{"GET", "/subjects/s/versions", "", 404, `{"error_code":40401,"message":"Subject 's' not found."}`},
			{"POST", "/subjects/s/versions", schema(r1), 200, `{"deleted":false,"id":1,"schema":"` + r1Quoted + `","schemaType":"AVRO","version":1}`},
			{"POST", "/subjects/s/versions", schema(" " + r1), 200, `~"id":1,`},
			{"POST", "/subjects/s/versions", schema(r2), 200, `~"version":2`},
			{"POST", "/subjects/s/versions", schema(`{"type":"record","name":"R","fields":[{"name":"z","type":"int"}]}`), 409, `~"error_code":409,"message":"Schema being registered is incompatible with an earlier schema for subject \"s\", details: [{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE'`},
			{"POST", "/subjects/s/versions", schema(`{`), 422, `~"error_code":42201,"message":"Invalid schema of type AVRO, details: `},
			{"POST", "/subjects/s/versions", `{"schema":"message","schemaType":"PROTOBUF"}`, 422, `~no PROTOBUF schemas`},
			{"POST", "/subjects/s/versions", `{`, 400, `~"error_code":400`},
			{"POST", "/subjects/s/versions", ``, 400, `~has no body`},
			{"POST", "/subjects/*/versions", schema(r1), 422, `~"error_code":42208`},
			{"GET", "/subjects", "", 200, `["s"]`},
			{"GET", "/subjects/s/versions", "", 200, `[1,2]`},
			{"GET", "/subjects/s/versions?offset=1&limit=5", "", 200, `[2]`},
			{"GET", "/subjects/s/versions?offset=x", "", 400, `~offset=x`},
			{"GET", "/subjects/s/versions/1", "", 200, `{"deleted":false,"id":1,"schema":"` + r1Quoted + `","schemaType":"AVRO","subject":"s","version":1}`},
			{"GET", "/subjects/s/versions/latest", "", 200, `~"version":2`},
			{"GET", "/subjects/s/versions/-1", "", 200, `~"version":2`},
			{"GET", "/subjects/s/versions/0", "", 422, `{"error_code":42202,"message":"The specified version '0' is not a valid version id. Allowed values are between [1, 2^31-1] and the string \"latest\""}`},
			{"GET", "/subjects/s/versions/9", "", 404, `{"error_code":40402,"message":"Version 9 not found."}`},
			{"GET", "/subjects/t/versions/9", "", 404, `{"error_code":40401,"message":"Subject 't' not found."}`},
			{"GET", "/subjects/s/versions/1/schema", "", 200, r1},
			{"GET", "/subjects/s/versions/1/referencedby", "", 200, `[]`},
			{"POST", "/subjects/s", schema(r2), 200, `~"version":2`},
			{"POST", "/subjects/s", schema(`"int"`), 404, `{"error_code":40403,"message":"Schema not found"}`},
			{"POST", "/subjects/t", schema(`"int"`), 404, `{"error_code":40401,"message":"Subject 't' not found."}`},

			{"GET", "/schemas/ids/1", "", 200, `{"deleted":false,"schema":"` + r1Quoted + `","schemaType":"AVRO"}`},
			{"GET", "/schemas/ids/1?subject=s&fetchMaxId=true", "", 200, `{"deleted":false,"maxId":2,"schema":"` + r1Quoted + `","schemaType":"AVRO","subject":"s","version":1}`},
			{"GET", "/schemas/ids/1/schema", "", 200, r1},
			{"GET", "/schemas/ids/1/subjects", "", 200, `["s"]`},
			{"GET", "/schemas/ids/1/versions", "", 200, `[{"subject":"s","version":1}]`},
			{"GET", "/schemas/ids/7", "", 404, `{"error_code":40403,"message":"Schema 7 not found"}`},
			{"GET", "/schemas/ids/x", "", 404, `~404`},
			{"GET", "/schemas?latestOnly=true", "", 200, `~"version":2`},
			{"GET", "/schemas/guids/none", "", 404, `~40403`},

			{"POST", "/compatibility/subjects/s/versions/latest", schema(r1), 200, `{"is_compatible":true}`},
			{"POST", "/compatibility/subjects/s/versions?verbose=true", schema(`"int"`), 200, `~"is_compatible":false,"messages":["{errorType:'TYPE_MISMATCH'`},
			{"POST", "/compatibility/subjects/s/versions/1?verbose=true", schema(`{`), 200, `~"is_compatible":false,"messages":["Invalid schema`},
			{"POST", "/compatibility/subjects/s/versions/1", schema(`{`), 422, `~42201`},
			{"POST", "/compatibility/subjects/s/versions/9", schema(r1), 404, `~40402`},
			{"POST", "/compatibility/subjects/none/versions/latest", schema(r1), 200, `{"is_compatible":true}`},

			{"GET", "/config/s", "", 404, `{"error_code":40408,"message":"Subject 's' does not have subject-level compatibility configured"}`},
			{"GET", "/config/s?defaultToGlobal=true", "", 200, `{"compatibilityLevel":"BACKWARD"}`},
			{"PUT", "/config/s", `{"compatibility":"full"}`, 200, `{"compatibility":"FULL"}`},
			{"GET", "/config/s", "", 200, `{"compatibilityLevel":"FULL"}`},
			{"PUT", "/config/s", `{"compatibility":"x"}`, 422, `{"error_code":42203,"message":"Invalid compatibility level. Valid values are none, backward, forward, full, backward_transitive, forward_transitive, and full_transitive"}`},
			{"DELETE", "/config/s", "", 200, `{"compatibilityLevel":"FULL"}`},
			{"DELETE", "/config/s", "", 404, `~40401`},
			{"PUT", "/config", `{"compatibility":"NONE"}`, 200, `{"compatibility":"NONE"}`},
			{"DELETE", "/config", "", 200, `{"compatibilityLevel":"NONE"}`},

			{"GET", "/mode/s", "", 404, `{"error_code":40409,"message":"Subject 's' does not have subject-level mode configured"}`},
			{"PUT", "/mode/s", `{"mode":"readonly"}`, 200, `{"mode":"readonly"}`},
			{"GET", "/mode/s", "", 200, `{"mode":"READONLY"}`},
			{"POST", "/subjects/s/versions", schema(`{"type":"record","name":"R","fields":[{"name":"b","type":"int","default":1}]}`), 422, `{"error_code":42205,"message":"Subject s in context  is in read-only mode"}`},
			{"PUT", "/mode/s", `{"mode":"X"}`, 422, `~42204`},
			{"PUT", "/mode/s", `{"mode":"IMPORT"}`, 422, `{"error_code":42205,"message":"Cannot import since found existing subjects"}`},
			{"DELETE", "/mode/s", "", 200, `{"mode":"READONLY"}`},
			{"GET", "/mode/s?defaultToGlobal=true", "", 200, `{"mode":"READWRITE"}`},

			{"POST", "/contexts/.x/subjects/s/versions", schema(r1), 200, `~"id":1,`},
			{"GET", "/contexts/.x/subjects", "", 200, `[":.x:s"]`},
			{"GET", "/subjects", "", 200, `["s",":.x:s"]`},
			{"GET", "/subjects?subjectPrefix=", "", 200, `["s"]`},
			{"GET", "/subjects?subjectPrefix=:.x:", "", 200, `[":.x:s"]`},
			{"GET", "/contexts", "", 200, `[".",".x"]`},
			{"GET", "/contexts/.x/schemas/ids/1/versions", "", 200, `[{"subject":":.x:s","version":1}]`},
			{"PUT", "/contexts/.x/config", `{"compatibility":"NONE"}`, 200, `{"compatibility":"NONE"}`},
			{"GET", "/config/:.x:", "", 200, `{"compatibilityLevel":"NONE"}`},
			{"GET", "/contexts/.x/config/s?defaultToGlobal=true", "", 200, `{"compatibilityLevel":"NONE"}`},
			{"DELETE", "/contexts/.x", "", 422, `~42211`},
			{"DELETE", "/contexts/.x/subjects/s", "", 200, `[1]`},
			{"DELETE", "/contexts/.x/subjects/s?permanent=true", "", 200, `[1]`},
			{"DELETE", "/contexts/.x", "", 204, ``},
			{"GET", "/contexts", "", 200, `["."]`},

			{"DELETE", "/subjects/s/versions/1?permanent=true", "", 404, `{"error_code":40407,"message":"Subject 's' Version 1 was not deleted first before being permanently deleted"}`},
			{"DELETE", "/subjects/s/versions/1", "", 200, `1`},
			{"DELETE", "/subjects/s/versions/1", "", 404, `{"error_code":40406,"message":"Subject 's' Version 1 was soft deleted.Set permanent=true to delete permanently"}`},
			{"GET", "/subjects/s/versions", "", 200, `[2]`},
			{"GET", "/subjects/s/versions?deleted=true", "", 200, `[1,2]`},
			{"GET", "/subjects/s/versions?deletedOnly=true", "", 200, `[1]`},
			{"GET", "/subjects/s/versions?deletedAsNegative=true", "", 200, `[-1,2]`},
			{"GET", "/subjects/s/versions/1?deleted=true", "", 200, `~"deleted":true`},
			{"DELETE", "/subjects/s/versions/1?permanent=true", "", 200, `1`},
			{"GET", "/schemas/ids/1", "", 404, `~40403`},
			{"DELETE", "/subjects/s?permanent=true", "", 404, `~40405`},
			{"DELETE", "/subjects/s", "", 200, `[2]`},
			{"DELETE", "/subjects/s", "", 404, `~40404`},
			{"GET", "/subjects?deletedOnly=true", "", 200, `["s"]`},
			{"DELETE", "/subjects/s?permanent=true", "", 200, `[2]`},
			{"DELETE", "/subjects/s", "", 404, `~40401`},
			{"POST", "/subjects/a%2Fb%20c%C3%A9/versions", schema(r1), 200, `~"id":3,`},
			{"GET", "/subjects", "", 200, `["a/b cé"]`},
			{"POST", "/subjects/j/versions", jsonSchema(`{"type": "object"}`), 200, `~"schema":"{\"type\":\"object\"}","schemaType":"JSON"`},
			{"POST", "/subjects/j/versions?normalize=true", jsonSchema(`{"type":"object","additionalProperties":false}`), 409, `~ADDITIONAL_PROPERTIES_REMOVED`},
		} {
			status, body := s.ask(t, c.method, c.path, c.body)
			body = plain(t, body)
			contains, part := strings.CutPrefix(c.want, "~")
			if !part {
				contains = ""
			}
			if status != c.status || !part && body != c.want || !strings.Contains(body, contains) {
				t.Errorf("%s %s: %d %s\nwant %d %s", c.method, c.path, status, body, c.status, c.want)
			}
		}
	})
}

func TestLimits(t *testing.T) {
	s := start(t, registry.Config{Kafka: kafkatest.Start(t).Config, Limits: registry.Limits{Request: 10_000, Depth: 10}})
	for name, body := range map[string]string{
		"long": schema(`"int"` + strings.Repeat(" ", 10_000)),
		"deep": schema(strings.Repeat(`["null",`, 11) + `"int"` + strings.Repeat("]", 11)),
	} {
		for _, path := range []string{"/subjects/s/versions", "/subjects/s", "/compatibility/subjects/s/versions"} {
			if status, got := s.ask(t, "POST", path, body); status != 422 || !strings.Contains(got, `"error_code":42209`) {
				t.Errorf("%s, %s: %d %s", name, path, status, got)
			}
		}
	}
}

// TestLocal: a page whose name points to this machine gets nothing.
func TestLocal(t *testing.T) {
	s := start(t, registry.Config{Kafka: kafkatest.Start(t).Config, Local: true})
	if status, _ := s.ask(t, "GET", "/subjects", ""); status != 200 {
		t.Errorf("on loopback: %d", status)
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", s.url+"/subjects", nil)
	r.Host = "evil.example"
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("for another host: %d", resp.StatusCode)
	}
}

func TestConfig(t *testing.T) {
	cluster := kafkatest.Start(t)
	if _, err := registry.Open(t.Context(), registry.Config{Kafka: cluster.Config, Compatibility: "sideways"}); err == nil {
		t.Error("a level that does not exist is taken")
	}
	cluster.Topics(t, "several")
	if _, err := registry.Open(t.Context(), registry.Config{Kafka: cluster.Config, Topic: "several"}); err == nil || !strings.Contains(err.Error(), "4 partitions") {
		t.Errorf("a topic with partitions: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := registry.Open(ctx, registry.Config{Kafka: cluster.Config}); err == nil {
		t.Error("it opens without time")
	}
}

func unmarshal(t testing.TB, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}
