package hello

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
	"github.com/pabal-dev/pabal/streams"
	"github.com/pabal-dev/pabal/streams/serde"
	"github.com/pabal-dev/pabal/streams/streamstest"
)

func startHello(t *testing.T, cluster *kafkatest.Cluster) *system {
	t.Helper()
	return start(t, "sqlite:"+filepath.Join(t.TempDir(), "hello.db"), cluster.Config)
}

// eventually has the table of a service equal want.
func (s *system) eventually(want map[string]State) {
	s.t.Helper()
	table, err := s.service.Table(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	var got map[string]State
	testenv.Wait(s.t, fmt.Sprintf("the table to be %v", want), time.Minute, func() bool {
		got = map[string]State{}
		for p, err := range table.All(s.t.Context()) {
			if err != nil {
				return false // it moves
			}
			got[p.Key] = p.Value
		}
		return fmt.Sprint(got) == fmt.Sprint(want)
	})
}

// TestTableOfTheTopic: the store with the name is the one that the topic fills, by both
// writers; null values delete; and it is read over HTTP.
func TestTableOfTheTopic(t *testing.T) {
	s := startHello(t, kafkatest.Start(t))
	for _, at := range []string{"/durable/a", "/durable/b", "/topic/a", "/topic/b"} {
		s.call("POST", at+"/hello", `{"message":"Hello"}`, 200)
	}
	one := State{Happy, 1, 1}
	s.eventually(map[string]State{"HelloState|a": one, "HelloState|b": one, "HelloTopic|a": one, "HelloTopic|b": one})
	if got := s.call("GET", "/streams/stores/hello-state-store/keys/HelloTopic%7Ca", "", 200); !strings.Contains(got, `"value":{"state":"HAPPY","helloCount":1,"helloTotalCount":1}`) {
		t.Errorf("over HTTP: %s", got)
	}
	s.call("DELETE", "/durable/a", "", 200)
	s.call("DELETE", "/topic/b", "", 200)
	s.call("DELETE", "/topic/nobody", "", 200)
	s.eventually(map[string]State{"HelloState|b": one, "HelloTopic|a": one})
	s.stop()
	s.start()
	s.eventually(map[string]State{"HelloState|b": one, "HelloTopic|a": one})
	s.call("GET", "/streams/stores/hello-state-store/keys/HelloTopic%7Cb", "", 404)
	s.call("GET", "/readyz", "", 200)
}

// TestEachProcessIsAMember: two processes of one service share the partitions, and commands
// of one id to both are carried out once each.
func TestEachProcessIsAMember(t *testing.T) {
	cluster := kafkatest.Start(t)
	first := startHello(t, cluster)
	second := &system{t: t, config: first.config}
	second.config.Instance, second.config.StateDir, second.config.Database = "second", t.TempDir(), "sqlite:"+filepath.Join(t.TempDir(), "hello.db")
	second.start()
	t.Cleanup(second.stop)
	if a, b := instance(Config{}, first.service.Addr()), instance(Config{}, second.service.Addr()); a == b {
		t.Fatalf("both are %s", a)
	}
	testenv.Wait(t, "both to have partitions", time.Minute, func() bool {
		places, err := first.service.app.Places(Store)
		hosts := map[string]bool{}
		for _, p := range places {
			if p.Active != nil {
				hosts[p.Active.InstanceID] = true
			}
		}
		return err == nil && hosts["first"] && hosts["second"]
	})
	const each = 40
	var all sync.WaitGroup
	for i := range each {
		for _, s := range []*system{first, second} {
			all.Go(func() { s.greet(fmt.Sprint("/topic/id-", i%5)) })
		}
	}
	all.Wait()
	for i := range 5 {
		first.is(first.call("GET", fmt.Sprintf("/topic/id-%d/total-count", i), "", 200), fmt.Sprintf(`{"count":%d}`, 2*each/5))
	}
}

// greet may be called by any goroutine.
func (s *system) greet(at string) {
	response, err := http.Post("http://"+s.service.Addr()+at+"/hello", "application/json", strings.NewReader(`{"message":"Hello"}`))
	if err != nil {
		s.t.Error(err)
		return
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != 200 {
		s.t.Errorf("%d %s", response.StatusCode, body)
	}
}

// send calls with an Idempotency-Key, and does as it is told while there is no answer in time.
func (s *system) send(key, at, body string) (answer string) {
	s.t.Helper()
	testenv.Wait(s.t, "an answer", 30*time.Second, func() bool {
		request, err := http.NewRequestWithContext(s.t.Context(), "POST", "http://"+s.service.Addr()+at, strings.NewReader(body))
		if err != nil {
			s.t.Fatal(err)
		}
		request.Header.Set("Idempotency-Key", key)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			s.t.Fatal(err)
		}
		defer response.Body.Close()
		got, _ := io.ReadAll(response.Body)
		answer = fmt.Sprint(response.StatusCode, " ", strings.TrimSpace(string(got)))
		return response.StatusCode != http.StatusServiceUnavailable
	})
	return answer
}

// TestTheSameKeyIsAnsweredTheSame, also after a restart; another command under it is refused.
func TestTheSameKeyIsAnsweredTheSame(t *testing.T) {
	s := startHello(t, kafkatest.Start(t))
	for range 3 {
		s.is(s.send("k1", "/topic/a/hello", `{"message":"Hello"}`), `200 {"message":"Kotlin"}`)
	}
	if got := s.send("k1", "/topic/a/hello", `{"message":"Hi"}`); !strings.HasPrefix(got, "409 ") || !strings.Contains(got, `"code":"idempotency-key"`) {
		t.Errorf("another command: %s", got)
	}
	s.is(s.send("k1", "/topic/b/hello", `{"message":"Hello"}`), `200 {"message":"Kotlin"}`) // another one's
	s.stop()
	s.start()
	s.is(s.send("k1", "/topic/a/hello", `{"message":"Hello"}`), `200 {"message":"Kotlin"}`)
	s.is(s.call("GET", "/topic/a/total-count", "", 200), `{"count":1}`)
	s.is(s.call("GET", "/topic/b/total-count", "", 200), `{"count":1}`)
}

// TestEveryChangeIsOnTheTopic in the order of the answers, once.
func TestEveryChangeIsOnTheTopic(t *testing.T) {
	cluster := kafkatest.Start(t)
	s := startHello(t, cluster)
	for range 10 {
		s.call("POST", "/topic/a/hello", `{"message":"Hello"}`, 200)
	}
	s.call("POST", "/topic/a/hello", `{"message":"Hi"}`, 409)
	s.call("GET", "/topic/a/count", "", 200)
	s.call("POST", "/topic/a/reset", "", 200)
	s.call("DELETE", "/topic/a", "", 200)
	client := cluster.Client(t, kgo.ConsumeTopics(cluster.Config.Topic(Topic)), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	var got []string
	testenv.Wait(t, "the deletion", time.Minute, func() bool {
		for _, r := range client.PollRecords(t.Context(), 100).Records() {
			got = append(got, string(r.Value))
		}
		return len(got) >= 12
	})
	for i := range 10 {
		s.is(got[i], fmt.Sprintf(`{"state":"HAPPY","helloCount":%d,"helloTotalCount":%d}`, i+1, i+1))
	}
	s.is(strings.Join(got[10:], " "), `{"state":"HAPPY","helloCount":0,"helloTotalCount":10} `)
}

// TestWaitsEndWithTheirContext: for the table, and for an answer.
func TestWaitsEndWithTheirContext(t *testing.T) {
	s := startHello(t, kafkatest.Start(t))
	s.service.app.Pause()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.service.asker.Ask(ctx, "a", "", GetCount{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command that nobody handles: %v", err)
	}
	if n := len(s.service.asker.waiting); n != 0 {
		t.Errorf("%d are still waited for", n)
	}
	s.service.app.Resume()
	over, end := context.WithCancel(t.Context())
	end()
	later, err := newApp(s.config, "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := streams.WaitStore[string, State](over, later, Store); !errors.Is(err, context.Canceled) {
		t.Errorf("a table that is not there: %v", err)
	}
}

// TestPolicies: what cannot be read ends the stream processing as configured, and it is said.
func TestPolicies(t *testing.T) {
	cluster := kafkatest.Start(t)
	s := startHello(t, cluster)
	client := cluster.Client(t)
	if err := client.ProduceSync(t.Context(), &kgo.Record{Topic: cluster.Config.Topic(Topic), Key: []byte("x"), Value: []byte("{")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-s.service.app.Done():
	case <-time.After(time.Minute):
		t.Fatal("it goes on")
	}
	if got := s.call("GET", "/readyz", "", 503); !strings.Contains(got, Topic) {
		t.Errorf("/readyz: %s", got)
	}
	for _, name := range []string{"", "REPLACE_THREAD", "SHUTDOWN_CLIENT", "SHUTDOWN_APPLICATION"} {
		if _, err := (Config{OnUncaught: name}).uncaught(); err != nil {
			t.Error(err)
		}
	}
	if _, err := New(Config{Kafka: cluster.Config, OnUncaught: "IGNORE"}); err == nil || !strings.Contains(err.Error(), "REPLACE_THREAD") {
		t.Errorf("got %v", err)
	}
}

// TestCommandsSeeWhatIsOnItsWay, without a broker: commands are handled before the table has
// the changes of those before them, a commit fails, and the process is killed.
func TestCommandsSeeWhatIsOnItsWay(t *testing.T) {
	topology, err := newTopology()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology, streamstest.WithCommitEvery(3))
	in := streamstest.Input(d, Commands, serde.String(), serde.JSON[message]())
	out := streamstest.Output(d, Answers, serde.String(), serde.JSON[answer]())
	table := streamstest.Output(d, Topic, serde.String(), serde.JSON[State]())
	send := func(n int, kind string) {
		in.Pipe("id", message{ID: fmt.Sprint(n), Key: fmt.Sprint(n), Kind: kind, Text: "Hello"}, time.UnixMilli(int64(n)))
	}
	for n := range 4 {
		send(n, kindHello)
	}
	d.FailCommit()
	for n := 2; n < 6; n++ {
		send(n, kindHello) // 2 and 3 come again
	}
	send(6, kindForget)
	send(7, kindHello)
	send(8, kindTotal)
	d.Commit()
	last := ""
	for _, r := range out.ReadAll() {
		text, _ := json.Marshal(r.Value)
		last = r.Key + " " + string(text)
	}
	if want := `8 {"reply":{"count":1}}`; last != want {
		t.Errorf("the last answer is %s, want %s", last, want)
	}
	var totals []string
	for _, r := range table.ReadAll() {
		totals = append(totals, fmt.Sprint(r.Value.HelloTotalCount))
	}
	if got := strings.Join(totals, " "); got != "1 2 3 4 5 6 0 1" {
		t.Errorf("the topic has the totals %s", got)
	}
}
