package pages_test

import (
	"strings"
	"testing"

	"github.com/pabal-dev/pabal/console/api"
	"github.com/pabal-dev/pabal/console/pages"
)

// says fails the test for each text that is not in a page.
func says(t *testing.T, body string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(body, text) {
			t.Errorf("it does not say %q", text)
		}
	}
}

// TestConnectorsPage: what failed, and how far sinks are behind.
func TestConnectorsPage(t *testing.T) {
	_, body := newSite(fake{}, "", false, 0).page(t, "/connectors", api.Viewer, 200)
	says(t, body, "orders-source", "PostgresConnector", "1 failed", "replication slot", "Kafka is away", "STOPPED", "7 records", "Create a connector",
		"snapshot: 2 of 5 tables, 1,100 rows", "1.5", "any moment", "3.0 GiB", "abandoned", "of none here", "deleted</span>", "not read")
}

// TestConnectorPage: why it failed, secrets masked, and what stays of one that is deleted.
func TestConnectorPage(t *testing.T) {
	s := newSite(fake{}, "", false, 0)
	_, body := s.page(t, "/connectors/orders-source", api.Admin, 200)
	says(t, body, "at b", "it could not be started", "Restart what failed", "secret", "pg_drop_replication_slot(&#39;orders&#39;)", "shop.public.orders", "Only a stopped", "lsn", "a worker does not answer",
		"Its database needs somebody", "now in <code>public.orders</code>", "5.0 MiB", "of 32 MiB", "rows of incremental snapshots", "0/16B3748")
	if strings.Contains(body, `<code>********</code>`) {
		t.Error("a masked secret is shown as a value")
	}
	_, body = s.page(t, "/connectors/orders-sink", api.Admin, 200)
	says(t, body, "7 records behind", `href="/groups/shop.connect-orders-sink"`, "Resume it", "Forget all of them", "Not known: Kafka is away", "A stopped connector has none")
}

// TestPluginPage: what must be given comes first, and the name is asked for once.
func TestPluginPage(t *testing.T) {
	_, body := newSite(fake{}, "", false, 0).page(t, "/connector-plugins/"+postgresClass, api.Admin, 200)
	says(t, body, "(required)", `name="config.database.hostname"`, `type="password"`, "initial (default)", "2 other settings", "Check it (changes nothing)")
	if strings.Contains(body, `name="config.name"`) {
		t.Error("it asks for the name twice")
	}
}

// TestConnectorsOff: the pages say how to switch them on.
func TestConnectorsOff(t *testing.T) {
	engines := fake{}.engines()
	engines.Connectors = nil
	s := site{pages.New(pages.Config{Engines: engines}), "", true}
	_, body := s.page(t, "/connectors", api.Admin, 200)
	says(t, body, "Connectors are off here", "--connect=127.0.0.1:8083")
	for _, path := range []string{"/connectors/x", "/connector-plugins", "/connector-plugins/x"} {
		_, body = s.page(t, path, api.Admin, 404)
		says(t, body, "--connect=127.0.0.1:8083")
	}
}
