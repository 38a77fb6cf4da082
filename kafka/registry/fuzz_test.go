package registry_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// FuzzRequest: any request has an answer that is the API's, and none that says it is the registry's
// fault.
func FuzzRequest(f *testing.F) {
	for _, seed := range [][3]string{
		{"POST", "/subjects/s/versions", schema(`"int"`)}, {"POST", "/subjects/s", `{"schema":null,"id":-1,"references":[{}]}`},
		{"GET", "/schemas/ids/1?subject=:.x:", ""}, {"DELETE", "/subjects/s/versions/latest?permanent=true", ""},
		{"PUT", "/config/:.x:", `{"compatibility":"FULL"}`}, {"PUT", "/mode", `{"mode":null}`}, {"GET", "/contexts/.x/subjects?offset=-1", ""},
		{"POST", "/compatibility/subjects/s/versions/-1?verbose=true", `{"schema":"{","schemaType":"JSON"}`}, {"DELETE", "/contexts/%2e", ""}, {"GET", "/subjects/%/versions", ""},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	cluster, err := registry.Open(f.Context(), registry.Config{Kafka: kafkatest.Start(f).Config, Logger: quiet()})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(cluster.Close)
	handler := cluster.Handler()
	f.Fuzz(func(t *testing.T, method, path, body string) {
		r, err := http.NewRequest(method, "http://localhost/", strings.NewReader(body))
		if err != nil {
			return
		}
		if r.URL, err = r.URL.Parse(path); err != nil || r.URL.Host != "localhost" {
			return
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		answer, _ := io.ReadAll(w.Body)
		if w.Code >= 500 {
			t.Errorf("%s %s: %d %s", method, path, w.Code, answer)
		}
		if w.Code >= 400 && !json.Valid(answer) && method != http.MethodHead {
			t.Errorf("%s %s: %d %q is not JSON", method, path, w.Code, answer)
		}
	})
}
