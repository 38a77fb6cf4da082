package orders_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pabal-dev/pabal/examples/orders"
	"github.com/pabal-dev/pabal/examples/service"
	"github.com/pabal-dev/pabal/internal/systemtest"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// output collects what a program writes while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(data []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(data)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// run runs a program that should end by itself.
func run(t *testing.T, name string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), systemtest.StartTimeout)
	defer cancel()
	var out, problems output
	code = orders.System().Command(ctx, name, args, &out, &problems)
	if ctx.Err() != nil {
		t.Fatalf("%s %v did not end by itself", name, args)
	}
	return code, out.String(), problems.String()
}

func TestHelp(t *testing.T) {
	for name, says := range map[string][2]string{
		"order": {"8101", "order-approval-request"}, "payment": {"8102", "payment-request"},
		"restaurant": {"8103", "order-approval-request"}, "customer": {"8104", "customer-created"},
	} {
		port, topic := says[0], says[1]
		code, stdout, stderr := run(t, name, "--help")
		if code != service.ExitOK || stderr != "" {
			t.Errorf("%s: exit %d, %s", name, code, stderr)
		}
		for _, want := range []string{"127.0.0.1:" + port, "sqlite:" + name + ".db", name + "-service", "--topic-" + topic + "=\"" + topic, "$" + strings.ToUpper(name) + "_TOPIC_" + strings.ToUpper(strings.ReplaceAll(topic, "-", "_")), "$" + strings.ToUpper(name) + "_DATABASE"} {
			if !strings.Contains(stdout, want) {
				t.Errorf("%s --help does not say %s:\n%s", name, want, stdout)
			}
		}
	}
}

// TestBadSettingsAreOneClearLine: and nothing is half started.
func TestBadSettingsAreOneClearLine(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	folder := t.TempDir()
	database := "--database=sqlite:" + filepath.Join(folder, "x.db")
	broker := kafkatest.Start(t).Addr()
	free := "--listen=127.0.0.1:0"
	for name, test := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"unknown flag":       {[]string{"--nope"}, service.ExitUsage, []string{"--nope", "--help"}},
		"bad duration":       {[]string{"--outbox-history=soon"}, service.ExitUsage, []string{"--outbox-history"}},
		"bad level":          {[]string{"--log-level=loud"}, service.ExitUsage, []string{"--log-level"}},
		"bad broker":         {[]string{"--kafka=http://x"}, service.ExitUsage, []string{"http://x"}},
		"SASL without user":  {[]string{"--kafka-sasl-mechanism=PLAIN"}, service.ExitUsage, []string{"PLAIN needs a user"}},
		"busy port":          {[]string{"--listen=" + taken.Addr().String(), database, "--kafka=" + broker}, service.ExitError, []string{taken.Addr().String(), "address already in use", "--listen"}},
		"bad address":        {[]string{"--listen=nowhere", database, "--kafka=" + broker}, service.ExitError, []string{"nowhere", "--listen"}},
		"no Kafka":           {[]string{free, database, "--kafka=" + taken.Addr().String() + "0"}, service.ExitError, []string{"Kafka is unreachable", "--kafka"}},
		"unknown database":   {[]string{free, "--database=oracle://x", "--kafka=" + broker}, service.ExitError, []string{"oracle", "sqlite:"}},
		"no database folder": {[]string{free, "--database=sqlite:" + filepath.Join(folder, "none", "x.db"), "--kafka=" + broker}, service.ExitError, []string{"none"}},
		"no registry":        {[]string{free, "--database=sqlite:" + filepath.Join(folder, "tables.db"), "--kafka=" + broker, "--registry=http://" + taken.Addr().String() + "0"}, service.ExitError, []string{"registry", "--registry", "--codec=json"}},
		"no PostgreSQL":      {[]string{free, "--database=postgres://u@127.0.0.1:1/x", "--kafka=" + broker}, service.ExitError, []string{"127.0.0.1"}},
	} {
		code, stdout, stderr := run(t, "order", append([]string{"--log-level=ERROR"}, test.args...)...)
		if code != test.code || stdout != "" {
			t.Errorf("%s: exit %d, stdout %q", name, code, stdout)
		}
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		if len(lines) != 1 {
			t.Errorf("%s: not one line:\n%s", name, stderr)
		}
		for _, want := range test.says {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: does not say %q:\n%s", name, want, stderr)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(folder, "x.db")); err == nil {
		t.Error("a database was made by a program that could not start")
	}
}

var readyLine = regexp.MustCompile(`msg=ready .*address=(\S+)`)

// TestProgramRunsUntilItIsStopped: settings from the environment, health,
// metrics, and a clean end.
func TestProgramRunsUntilItIsStopped(t *testing.T) {
	cluster := kafkatest.Start(t)
	broker := cluster.Addr()
	at, _ := systemtest.Registry(t, cluster.Config)
	t.Setenv("ORDER_REGISTRY", at)
	t.Setenv("ORDER_DATABASE", "sqlite:"+filepath.Join(t.TempDir(), "from-environment.db"))
	t.Setenv("ORDER_LISTEN", "127.0.0.1:0")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var stdout, stderr output
	ended := make(chan int, 1)
	go func() {
		ended <- orders.System().Command(ctx, "order", []string{"--kafka=" + broker}, &stdout, &stderr)
	}()
	testenv.Wait(t, "the program to be ready", systemtest.StartTimeout, func() bool { return readyLine.MatchString(stderr.String()) })
	url := "http://" + readyLine.FindStringSubmatch(stderr.String())[1]
	for path, want := range map[string]string{"/livez": "ok", "/readyz": "ok", "/metrics": "orders_placed_total 0"} {
		a, err := systemtest.Call("GET", url+path, nil)
		if err != nil || a.Status != 200 || !strings.Contains(a.Text, want) {
			t.Errorf("%s: %v %v", path, a, err)
		}
	}
	cancel()
	select {
	case code := <-ended:
		if code != service.ExitOK {
			t.Errorf("exit %d:\n%s", code, stderr.String())
		}
	case <-time.After(systemtest.StopTimeout):
		t.Fatalf("it does not stop:\n%s", stderr.String())
	}
	if _, err := systemtest.Call("GET", url+"/livez", nil); err == nil {
		t.Error("it still answers")
	}
}

// TestNotReadyWithoutKafka: a service whose cluster went away lives, takes
// orders, and is not ready.
func TestNotReadyWithoutKafka(t *testing.T) {
	cluster := kafkatest.Start(t)
	s := newSystem(t, on(cluster.Config, systemtest.Files(t)))
	s.Start("order")
	s.Must(200, "GET", "order", "/readyz", nil)
	cluster.Stop(context.Background())
	s.Must(202, "POST", "order", "/orders", goodOrder)
	testenv.Wait(t, "the service to notice", systemtest.StateTimeout, func() bool {
		return s.Call("GET", "order", "/readyz", nil).Status == 503
	})
	s.Must(200, "GET", "order", "/livez", nil)
}

func TestUnknownService(t *testing.T) {
	if code, _, stderr := run(t, "kitchen"); code != service.ExitUsage || !strings.Contains(stderr, "order, payment, restaurant, customer") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
