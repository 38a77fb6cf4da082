package demo

import (
	"net"
	"strconv"

	"github.com/pabal-dev/pabal/cmd/pabal/internal/ports"
	"github.com/pabal-dev/pabal/examples/service"
)

// addresses are where everything will listen.
type addresses struct {
	kafka    string            // "" with a real cluster
	console  string            // "" without one
	connect  string            // "" where relays publish
	registry string            // "" where no service has schemas
	services map[string]string // by name
}

// chooseAddresses checks every port before anything is started, and fills in free
// ones where any will do.
func chooseAddresses(o Options) (a addresses, err error) {
	a.services = map[string]string{}
	var needs []ports.Need
	var into []func(string)
	take := func(to func(string), port int, what, flag string) {
		needs = append(needs, ports.Need{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), What: what, Flag: flag})
		into = append(into, to)
	}
	if o.embedded() {
		take(func(at string) { a.kafka = at }, o.KafkaPort, "the Kafka broker", "--kafka-port")
	}
	for _, d := range o.services() {
		take(func(at string) { a.services[d.Name] = at }, o.port(d), "the service "+d.Name, "--port")
	}
	if o.captured() {
		take(func(at string) { a.connect = at }, o.ConnectPort, "the API of connectors", "--connect-port")
	}
	if o.hasSchemas() {
		take(func(at string) { a.registry = at }, o.registryPort(), "the schema registry", "--registry-port")
	}
	if !o.NoConsole {
		take(func(at string) { a.console = at }, o.ConsolePort, "the console", "--console-port")
	}
	chosen, err := ports.Choose(needs...)
	for i, address := range chosen {
		into[i](address)
	}
	return a, err
}

// port is as far above --port as the service's own is above the first one's; 0 for any
// free one.
func (o Options) port(d service.Definition) int {
	if o.Port == 0 {
		return 0
	}
	return o.Port + d.Port - firstPort
}

// firstPort is that of the first service of the first scenario.
const firstPort = 8101

// portRange is how far above --port the last service's port is.
func (o Options) portRange() (most int) {
	for _, d := range o.services() {
		most = max(most, d.Port-firstPort)
	}
	return most
}
