package hello

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/entity"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestDecide(t *testing.T) {
	happy, angry := State{Happy, 2, 5}, State{Angry, 2, 5}
	for _, c := range []struct {
		name    string
		state   State
		command Command
		after   State
		reply   string // or the refusal's code
	}{
		{"a greeting", happy, Hello{"Hello"}, State{Happy, 3, 6}, "Kotlin"},
		{"another text", happy, Hello{"Hi"}, happy, "not-a-greeting"},
		{"no text", happy, Hello{}, happy, "not-a-greeting"},
		{"a greeting to somebody angry", angry, Hello{"Hello"}, angry, "Don't talk to me!"},
		{"another text to somebody angry", angry, Hello{"Hi"}, angry, "Don't talk to me!"},
		{"becoming angry", happy, ChangeState{Angry}, angry, "I am ANGRY"},
		{"staying happy", happy, ChangeState{Happy}, happy, "I am HAPPY"},
		{"no such state", happy, ChangeState{"SAD"}, happy, "unknown-state"},
		{"a reset leaves the total", happy, ResetCount{}, State{Happy, 0, 5}, "0"},
		{"the count", happy, GetCount{}, happy, "2"},
		{"forgetting", angry, Forget{}, State{Happy, 0, 0}, "Bye"},
		{"no such command", angry, nil, angry, "unknown-command"},
		{"the total", angry, GetTotalCount{}, angry, "5"},
	} {
		events, reply, err := decide(c.state, c.command)
		after := c.state
		for _, e := range events {
			var failed error
			if after, failed = apply(after, e); failed != nil {
				t.Fatal(failed)
			}
		}
		if got := render(reply, err); after != c.after || got != c.reply {
			t.Errorf("%s: got %+v and %q, want %+v and %q", c.name, after, got, c.after, c.reply)
		}
	}
}

func render(reply Reply, err error) string {
	var refusal *entity.Refusal
	switch {
	case errors.As(err, &refusal):
		return refusal.Code
	case err != nil:
		return err.Error()
	case reply.Count != nil:
		return fmt.Sprint(*reply.Count)
	}
	return reply.Message
}

var quiet = slog.New(slog.DiscardHandler)

// system is a running service that can be started again on its data.
type system struct {
	t       *testing.T
	config  Config
	service *Service
}

func start(t *testing.T, database string, cluster kafka.Config) *system {
	t.Helper()
	s := &system{t: t, config: Config{Listen: "127.0.0.1:0", Database: database, Kafka: cluster, StateDir: t.TempDir(), Instance: "first", Logger: quiet}}
	s.start()
	t.Cleanup(s.stop)
	return s
}

func (s *system) start() {
	s.t.Helper()
	var err error
	if s.service, err = New(s.config); err != nil {
		s.t.Fatal(err)
	}
	if err := s.service.Start(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) stop() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), 2*time.Minute)
	defer cancel()
	if err := s.service.Stop(ctx); err != nil {
		s.t.Error(err)
	}
}

// call checks the status and returns the answer's body without its line break.
func (s *system) call(method, path, body string, status int) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, "http://"+s.service.Addr()+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	if response.StatusCode != status {
		s.t.Fatalf("%s %s: got %d %s, want %d", method, path, response.StatusCode, got, status)
	}
	return string(bytes.TrimSpace(got))
}

func (s *system) is(got, want string) {
	s.t.Helper()
	if got != want {
		s.t.Errorf("got %s, want %s", got, want)
	}
}

// TestVariants: all answer the same over HTTP, and after a restart.
func TestVariants(t *testing.T) {
	for name, database := range map[string]func(*testing.T) string{
		"SQLite":     func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "hello.db") },
		"PostgreSQL": func(t *testing.T) string { return testenv.Postgres(t) },
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, database(t), kafkatest.Start(t).Config)
			for _, variant := range []string{"/sourced", "/durable", "/topic"} {
				at := variant + "/김-1"
				s.is(s.call("POST", at+"/hello", `{"message":"Hello"}`, 200), `{"message":"Kotlin"}`)
				s.is(s.call("POST", at+"/hello", `{"message":"Hello"}`, 200), `{"message":"Kotlin"}`)
				s.call("POST", at+"/hello", `{"message":"Hi"}`, 409)
				s.call("POST", at+"/hello", `{"mesage":"Hello"}`, 400)
				s.call("PUT", at+"/state", `{"state":"SAD"}`, 409)
				s.is(s.call("POST", at+"/reset", "", 200), `{"count":0}`)
				s.is(s.call("GET", at+"/total-count", "", 200), `{"count":2}`)
				s.is(s.call("PUT", at+"/state", `{"state":"ANGRY"}`, 200), `{"message":"I am ANGRY"}`)
			}
			s.stop()
			s.start()
			for _, variant := range []string{"/sourced", "/durable", "/topic"} {
				s.is(s.call("GET", variant+"/김-1", "", 200), `{"state":"ANGRY","helloCount":0,"helloTotalCount":2}`)
				s.is(s.call("POST", variant+"/김-1/hello", `{"message":"Hello"}`, 200), `{"message":"Don't talk to me!"}`)
				s.is(s.call("GET", variant+"/nobody/count", "", 200), `{"count":0}`)
				s.is(s.call("DELETE", variant+"/김-1", "", 200), `{"message":"Bye"}`)
				s.is(s.call("GET", variant+"/김-1", "", 200), `{"state":"HAPPY","helloCount":0,"helloTotalCount":0}`)
				s.is(s.call("POST", variant+"/김-1/hello", `{"message":"Hello"}`, 200), `{"message":"Kotlin"}`)
				s.is(s.call("GET", variant+"/김-1/total-count", "", 200), `{"count":1}`)
			}
		})
	}
}

// TestTopicHasTheLatestStates: each entity's last record is its state, also of
// changes made after a restart, and each change is there at most once.
func TestTopicHasTheLatestStates(t *testing.T) {
	cluster := kafkatest.Start(t)
	s := start(t, "sqlite:"+filepath.Join(t.TempDir(), "hello.db"), cluster.Config)
	want := map[string]State{}
	greet := func(id string, total int64) {
		s.call("POST", "/durable/"+id+"/hello", `{"message":"Hello"}`, 200)
		want[DurableType+"|"+id] = State{Happy, total, total}
	}
	for i := range 20 {
		greet(fmt.Sprint("id-", i%5), int64(i/5+1))
	}
	s.stop()
	s.start()
	greet("id-0", 5)
	s.call("POST", "/sourced/id-0/hello", `{"message":"Hello"}`, 200) // is not published

	client := cluster.Client(t, kgo.ConsumeTopics(cluster.Config.Topic(Topic)), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	got, totals := map[string]State{}, map[string]int64{}
	testenv.Wait(t, "the states in the topic", time.Minute, func() bool {
		for _, r := range client.PollRecords(t.Context(), 100).Records() {
			var state State
			if err := json.Unmarshal(r.Value, &state); err != nil {
				t.Fatalf("%s: %v", r.Value, err)
			}
			if state.HelloTotalCount <= totals[string(r.Key)] {
				t.Fatalf("%s: a total of %d came after %d", r.Key, state.HelloTotalCount, totals[string(r.Key)])
			}
			got[string(r.Key)], totals[string(r.Key)] = state, state.HelloTotalCount
		}
		return got[DurableType+"|id-0"].HelloTotalCount == 5 && len(got) == len(want)
	})
	for id, state := range want {
		if got[id] != state {
			t.Errorf("%s: the topic ends with %+v, want %+v", id, got[id], state)
		}
	}
}

func TestOpenAddressIsRefused(t *testing.T) {
	_, err := New(Config{Listen: "0.0.0.0:8105", Kafka: kafka.Config{Brokers: []string{"127.0.0.1:9092"}}})
	if err == nil || !strings.Contains(err.Error(), "this machine only") {
		t.Errorf("got %v", err)
	}
}
