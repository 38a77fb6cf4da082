package registry_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/registry"
)

// TestInstances: registrations that meet at several instances give each schema one id, without gaps,
// while one instance after the other goes and comes back.
func TestInstances(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg kafka.Config) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		servers := []*server{start(t, registry.Config{Kafka: cfg}), start(t, registry.Config{Kafka: cfg}), start(t, registry.Config{Kafka: cfg})}
		const schemas = 8
		ids := make([][schemas]int, 2*len(servers))
		var wg sync.WaitGroup
		for c := range ids {
			wg.Go(func() {
				for i := range schemas {
					n := (i + c) % schemas // all of them begin elsewhere
					id, err := registerAnywhere(ctx, servers, c, fmt.Sprintf("s%d", c%3), fmt.Sprintf(`{"type":"fixed","name":"F%d","size":1}`, n))
					if err != nil {
						t.Error(err)
						return
					}
					ids[c][n] = id
				}
			})
		}
		wg.Go(func() { servers[0].Close() }) // in the middle of it
		wg.Wait()
		if t.Failed() {
			return
		}
		all := slices.Sorted(slices.Values(ids[0][:]))
		for i, id := range all {
			if id != i+1 {
				t.Errorf("the ids are %v", all)
				break
			}
		}
		for c := range ids {
			if ids[c] != ids[0] {
				t.Errorf("client %d has %v, client 0 %v", c, ids[c], ids[0])
			}
		}
		again := start(t, registry.Config{Kafka: cfg})
		for _, s := range []*server{servers[1], servers[2], again} {
			sameEverywhere(t, s, ids[0][:])
		}
	})
}

// registerAnywhere begins with one instance and goes to the next where one is gone.
func registerAnywhere(ctx context.Context, servers []*server, first int, subject, text string) (int, error) {
	var last error
	for i := 0; ctx.Err() == nil; i++ {
		s := servers[(first+i)%len(servers)]
		id, err := register(ctx, s.url, subject, text)
		if err == nil {
			return id, nil
		}
		last = err
	}
	return 0, last
}

func register(ctx context.Context, url, subject, text string) (int, error) {
	body := fmt.Sprintf(`{"schema":%q}`, text)
	r, err := http.NewRequestWithContext(ctx, "POST", url+"/subjects/"+subject+"/versions?force=true", strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct {
		ID      int    `json:"id"`
		Message string `json:"message"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if resp.StatusCode != 200 {
		return 0, fmt.Errorf("%s", answer.Message)
	}
	return answer.ID, nil
}

func sameEverywhere(t *testing.T, s *server, ids []int) {
	t.Helper()
	client, err := sr.NewClient(sr.URLs(s.url))
	if err != nil {
		t.Fatal(err)
	}
	for n, id := range ids {
		got, err := client.SchemaByID(t.Context(), id)
		if want := fmt.Sprintf(`{"type":"fixed","name":"F%d","size":1}`, n); err != nil || got.Schema != want {
			t.Errorf("id %d: %s %v, want %s", id, got.Schema, err, want)
		}
	}
}

// TestOtherInstanceSeesAtOnce: what one instance has answered, the other has.
func TestOtherInstanceSeesAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg kafka.Config) {
		a, b := start(t, registry.Config{Kafka: cfg}), start(t, registry.Config{Kafka: cfg})
		for i := range 5 {
			from, to := a, b
			if i%2 == 1 {
				from, to = b, a
			}
			text := fmt.Sprintf(`{"type":"fixed","name":"F","size":%d}`, i+1)
			id, err := register(t.Context(), from.url, "s", text)
			if err != nil || id != i+1 {
				t.Fatalf("id %d: %v", id, err)
			}
			if status, body := to.ask(t, "GET", fmt.Sprintf("/schemas/ids/%d/schema", id), ""); status != 200 || body != text {
				t.Errorf("the other instance: %d %s", status, body)
			}
		}
	})
}

// TestRecovery: a new instance has everything, and goes on with the ids.
func TestRecovery(t *testing.T) {
	onBoth(t, func(t *testing.T, cfg kafka.Config) {
		r, err := registry.Open(t.Context(), registry.Config{Kafka: cfg, Logger: quiet()})
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		s := start(t, registry.Config{Kafka: cfg})
		for _, step := range [][3]string{
			{"PUT", "/config/s", `{"compatibility":"NONE"}`},
			{"POST", "/subjects/s/versions", schema(`"int"`)},
			{"POST", "/subjects/s/versions", schema(`"string"`)},
			{"DELETE", "/subjects/s/versions/1", ""},
			{"POST", "/subjects/t/versions", schema(`"long"`)},
			{"DELETE", "/subjects/t", ""},
			{"DELETE", "/subjects/t?permanent=true", ""},
		} {
			if status, body := s.ask(t, step[0], step[1], step[2]); status != 200 {
				t.Fatalf("%s: %d %s", step, status, body)
			}
		}
		again := start(t, registry.Config{Kafka: cfg})
		for path, want := range map[string]string{
			"/config/s": `{"compatibilityLevel":"NONE"}`, "/subjects?deleted=true": `["s"]`, "/subjects/s/versions": `[2]`, "/subjects/s/versions?deleted=true": `[1,2]`,
		} {
			if _, body := again.ask(t, "GET", path, ""); body != want {
				t.Errorf("%s: %s, want %s", path, body, want)
			}
		}
		if id, err := register(t.Context(), again.url, "u", `"long"`); err != nil || id != 4 {
			t.Errorf("the next id is %d %v", id, err)
		}
	})
}
