package browsertest

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/pabal-dev/pabal/connect"
	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/file"
	"github.com/pabal-dev/pabal/connect/plugin"
	"github.com/pabal-dev/pabal/connect/plugin/converters"
	"github.com/pabal-dev/pabal/connect/postgres"
	"github.com/pabal-dev/pabal/connect/rest"
	"github.com/pabal-dev/pabal/console"
	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/internal/testenv"
	"github.com/pabal-dev/pabal/kafka"
	"github.com/pabal-dev/pabal/kafka/kafkatest"
)

// slotted reads lines, and has a slot in a database that keeps too much.
type slotted struct{ file.Source }

const slottedClass = "test.SlottedSource"

func (s slotted) Info() plugin.Info {
	info := s.Source.Info()
	info.Class, info.Aliases = slottedClass, nil
	return info
}

func (slotted) Inspect(context.Context, config.Values) (plugin.Inspection, error) {
	return plugin.Inspection{Server: "db.example.org:5432", Slots: []plugin.Slot{
		{Name: "orders", Own: true, Active: true, Database: "shop", RestartLSN: "0/16B3748", ConfirmedLSN: "0/16B3780", RetainedBytes: 3 << 30, WALStatus: "extended"},
		{Name: "forgotten", Database: "shop", RestartLSN: "0/1", ConfirmedLSN: "0/2", RetainedBytes: 5 << 30, WALStatus: "unreserved"},
	}}, nil
}

// connectWorker runs one, and returns its address.
func connectWorker(t *testing.T, k kafka.Config) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	w, err := connect.New(connect.Config{
		Kafka: k, ID: server.Listener.Addr().String() + "-abcdef", Logger: logger(t),
		Plugins: plugin.Set{
			Sources: []plugin.Source{postgres.Connector{}, slotted{}, file.Source{}}, Sinks: []plugin.Sink{file.Sink{}},
			Converters: converters.Plugins(), Headers: converters.Headers(),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, "worker", w)
	server.Config.Handler = rest.New(rest.Config{Worker: w, Logger: logger(t)})
	server.Start()
	t.Cleanup(server.Close)
	return server.URL
}

// TestConnectorsJourney creates connectors from JSON and by fields, with a mistake first, sees one
// fail, stops one, moves it, and deletes it.
func TestConnectorsJourney(t *testing.T) {
	browser := chromium(t)
	cluster := kafkatest.Start(t).Config
	url := startConsole(t, console.Config{Kafka: cluster, Listen: "127.0.0.1:0", Version: "of a test", Logger: logger(t), ConnectURL: connectWorker(t, cluster)})
	lines := filepath.Join(t.TempDir(), "lines.txt")
	if err := os.WriteFile(lines, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	client, err := api.NewClient(api.ClientConfig{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	create := func(name, class, more string) {
		t.Helper()
		settings := map[string]string{"connector.class": class, "file": lines, "topic": name}
		if more != "" {
			settings["value.converter"] = more
		}
		if _, err := client.CreateConnector(t.Context(), api.ConnectorConfig{Connector: name, Config: settings}); err != nil {
			t.Fatal(err)
		}
	}

	b := newTab(t, browser, url)
	b.open("/")
	b.keys("gc")
	b.sees("There are no connectors yet")
	b.picture("connectors-none")
	b.press("main a", "Create a connector")
	b.sees("Or from JSON")
	b.fill("textarea[name=config]", `{"name": "from-json", "config": {"connector.class": "FileStreamSource", "tasks.max": "many", "file": "`+lines+`", "topic": "t1"}}`)
	b.press("main button", "Check it")
	b.sees("tasks.max", "What is wrong")
	b.picture("connectors-wrong")
	b.fill("textarea[name=config]", `{"name": "from-json", "config": {"connector.class": "FileStreamSource", "tasks.max": 1, "file": "`+lines+`", "topic": "t1"}}`)
	b.press("main button", "Check it")
	b.sees("Nothing is wrong with it")
	b.press("main button", "Create it")
	b.sees("from-json", "RUNNING", "records")
	b.picture("connector-new")

	b.open("/connector-plugins/org.apache.kafka.connect.file.FileStreamSourceConnector")
	b.fill("input[name=connector]", "by-fields")
	b.fill(`input[name="config.topic"]`, "t2")
	b.fill(`input[name="config.file"]`, lines)
	b.press("main button", "Check it")
	b.sees("Nothing is wrong with it")
	b.press("main button", "Create it")
	b.sees("by-fields", "RUNNING")

	create("orders", slottedClass, "")
	create("broken", "FileStreamSource", "org.apache.kafka.connect.converters.ByteArrayConverter")
	b.seesAt("/connectors", "FAILED")
	b.sees("forgotten")
	b.sees("abandoned", "3.0 GiB")
	b.seesAt("/", "Connector broken has failed")
	b.sees("slot-retains-log", "slot-unreserved")
	for _, path := range []string{"/", "/connectors", "/connectors/broken", "/connectors/orders", "/connector-plugins", "/connector-plugins/" + postgres.Class} {
		for _, look := range []struct {
			scheme        string
			width, height int64
		}{{"dark", 360, 740}, {"light", 360, 740}, {"dark", 1280, 900}, {"light", 1280, 900}} {
			b.scheme(look.scheme)
			b.size(look.width, look.height)
			b.open(path)
			b.legible(path, look.scheme)
			b.fits(path, look.width)
			b.picture(fmt.Sprintf("connectors%d-%s-%d", len(path), look.scheme, look.width))
		}
	}

	b.open("/connectors/from-json")
	b.press("main button", "Stop it")
	b.sees("its offsets can be changed")
	b.press("#confirm button", "Do it")
	b.sees("STOPPED", "A stopped connector has none")
	b.seesAt("/connectors/from-json", "Resume it")
	b.press("summary", "Change where it goes on")
	b.press("main button", "Forget all of them")
	b.press("#confirm button", "Do it")
	b.sees("have been reset")
	b.picture("connector-moved")
	b.press("main button", "Delete it")
	b.press("#confirm button", "Do it")
	b.until("the list", `() => location.pathname === '/connectors'`)
	testenv.Wait(t, "it to be gone", stateTimeout, func() bool {
		_, err := client.Connector(t.Context(), "from-json")
		return err != nil
	})
}
