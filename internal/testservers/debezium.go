package testservers

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// connectSettings: a worker that is alone, whose own topics have one replica, and that
// waits for little.
const connectSettings = `
group.id=connect
config.storage.topic=connect-configs
offset.storage.topic=connect-offsets
status.storage.topic=connect-status
config.storage.replication.factor=1
offset.storage.replication.factor=1
offset.storage.partitions=1
status.storage.replication.factor=1
status.storage.partitions=1
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
offset.flush.interval.ms=1000
scheduled.rebalance.max.delay.ms=0
rebalance.timeout.ms=10000
plugin.discovery=service_load
exactly.once.source.support=enabled
`

// StartDebezium starts a worker of Kafka Connect, in Java, with Debezium's connectors and
// those for files, on the brokers of an Apache Kafka on which no other worker runs.
// settings are further lines of its properties. ctx bounds the start only.
//
// URL is that of its REST API.
func StartDebezium(ctx context.Context, brokers []string, settings ...string) (*Server, error) {
	folder, err := FindDebezium()
	if err != nil {
		return nil, err
	}
	java, err := FindJava()
	if err != nil {
		return nil, err
	}
	return startFirst(ctx, func() (*Server, error) {
		f, err := makeFolder("", "connect", nil)
		if err != nil {
			return nil, fmt.Errorf("prepare a folder for Kafka Connect: %w", err)
		}
		d := &debezium{java: java, jars: folder, folder: f}
		s, err := d.server(brokers, settings)
		if err != nil {
			_ = f.remove()
			return nil, err
		}
		return s, nil
	})
}

type debezium struct {
	java, jars string
	folder     folder
	url        string
}

func (d *debezium) server(brokers, settings []string) (*Server, error) {
	addr, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	d.url = "http://" + addr
	lines := append([]string{connectSettings,
		"bootstrap.servers=" + strings.Join(brokers, ","),
		"listeners=" + d.url,
		"plugin.path=" + filepath.Join(d.jars, "plugins"),
	}, settings...)
	if err := os.WriteFile(d.properties(), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.folder.file("log4j2.properties"), []byte(kafkaLogging), 0o644); err != nil {
		return nil, err
	}
	return &Server{
		Name: DebeziumName(d.jars), Addr: addr, URL: d.url, LogFile: d.log(),
		folder:  d.folder,
		program: program{start: d.start, ready: d.ready, orderly: syscall.SIGTERM, quick: syscall.SIGKILL},
	}, os.MkdirAll(d.folder.file("tmp"), 0o755)
}

func (d *debezium) start() (*process, error) {
	jvm := cmp.Or(os.Getenv("PABAL_TEST_JVM"), defaultJVM)
	cmd := exec.Command(d.java, append(strings.Fields(jvm), "-XX:-UsePerfData",
		"-Djava.io.tmpdir="+d.folder.file("tmp"),
		"-Dlog4j2.configurationFile="+d.folder.file("log4j2.properties"),
		"-cp", filepath.Join(d.jars, "lib", "*"),
		"org.apache.kafka.connect.cli.ConnectDistributed", d.properties())...)
	cmd.Dir = d.folder.path
	closeLog, err := logTo(cmd, d.log())
	if err != nil {
		return nil, err
	}
	defer closeLog()
	return startProcess(cmd, syscall.SIGKILL)
}

// ready asks for the worker's health: it answers before it takes part in its group.
func (d *debezium) ready(*process, int64) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+"/health", nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

func (d *debezium) properties() string { return d.folder.file("connect.properties") }
func (d *debezium) log() string        { return d.folder.file("connect.log") }

// FindDebezium returns the folder (lib, plugins) of Kafka Connect and Debezium's connectors:
// that of PABAL_TEST_DEBEZIUM, or the downloaded one.
func FindDebezium() (string, error) {
	if folder := os.Getenv(EnvDebezium); folder != "" {
		return folder, nil
	}
	return findFolder("Kafka Connect with Debezium", "debezium", "plugins")
}

// DebeziumName returns the products and versions of a folder's jars.
func DebeziumName(folder string) string {
	return "Kafka Connect " + jarVersion(filepath.Join(folder, "lib"), "connect-runtime-") +
		" with Debezium " + jarVersion(filepath.Join(folder, "plugins", "debezium-connector-postgres"), "debezium-connector-postgres-")
}
