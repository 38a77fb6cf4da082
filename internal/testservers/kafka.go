package testservers

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// defaultJVM makes a fast start and a small process; PABAL_TEST_JVM replaces it.
const defaultJVM = "-Xms256m -Xmx768m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

// kafkaSettings: one node that is broker and controller, internal topics with
// one replica and few partitions, and no waiting for things that only matter
// in clusters.
const kafkaSettings = `
process.roles=broker,controller
listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=CLIENT
controller.listener.names=CONTROLLER
num.partitions=4
default.replication.factor=1
min.insync.replicas=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
log.cleaner.dedupe.buffer.size=16777216
`

// sharedKafka is for a node that is not killed: one that hangs for seconds on a busy machine keeps
// its place. One that is started again waits for the end of its last session.
const sharedKafka = "broker.session.timeout.ms=120000"

const kafkaLogging = `
rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c{1})%n
`

// StartKafka formats and starts one Apache Kafka node in KRaft mode below dir;
// with an empty dir in a temporary folder that Close removes. settings are
// further lines of server.properties, such as "message.max.bytes=2000". ctx
// bounds the start only.
func StartKafka(ctx context.Context, dir string, settings ...string) (*Server, error) {
	jars, err := FindKafka()
	if err != nil {
		return nil, err
	}
	java, err := FindJava()
	if err != nil {
		return nil, err
	}
	return startFirst(ctx, func() (*Server, error) {
		f, err := makeFolder(dir, "kafka", nil)
		if err != nil {
			return nil, fmt.Errorf("prepare a folder for Kafka: %w", err)
		}
		k := &kafka{java: java, jars: jars, jvm: defaultJVM, folder: f}
		s, err := k.server(ctx, settings)
		if err != nil {
			_ = f.remove()
			return nil, err
		}
		return s, nil
	})
}

type kafka struct {
	java, jars string
	jvm        string
	folder     folder
}

// server prepares a node that is alone.
func (k *kafka) server(ctx context.Context, settings []string) (*Server, error) {
	client, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	controller, err := FreeAddr()
	if err != nil {
		return nil, err
	}
	alone := []string{"node.id=1", "controller.quorum.bootstrap.servers=" + controller}
	if err := k.configure(client, controller, append(alone, settings...)); err != nil {
		return nil, err
	}
	if err := k.format(ctx, newClusterID(), "--standalone"); err != nil {
		return nil, err
	}
	return k.node(client), nil
}

func (k *kafka) node(client string) *Server {
	return &Server{
		Name: KafkaName(k.jars), Addr: client, URL: client, LogFile: k.log(),
		folder:  k.folder,
		program: program{start: k.start, ready: k.ready, orderly: syscall.SIGTERM, quick: syscall.SIGKILL},
	}
}

func (k *kafka) configure(client, controller string, settings []string) error {
	lines := append([]string{kafkaSettings,
		"listeners=CLIENT://" + client + ",CONTROLLER://" + controller,
		"advertised.listeners=CLIENT://" + client,
		"log.dirs=" + k.folder.data(),
	}, settings...)
	if err := os.WriteFile(k.folder.file("server.properties"), []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(k.folder.file("log4j2.properties"), []byte(kafkaLogging), 0o644); err != nil {
		return err
	}
	return os.MkdirAll(k.folder.file("tmp"), 0o755)
}

// newClusterID is a UUID in base64.
func newClusterID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	// The tool takes an id that begins with a dash for an option.
	id[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(id)
}

// format writes the storage folder.
func (k *kafka) format(ctx context.Context, clusterID string, options ...string) error {
	args := append([]string{"format", "-t", clusterID, "-c", k.folder.file("server.properties")}, options...)
	cmd := exec.CommandContext(ctx, k.java, k.args("kafka.tools.StorageTool", args...)...)
	cmd.Dir = k.folder.path
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka's storage in %s: %w\n%s", k.folder.path, err, out[max(0, len(out)-2000):])
	}
	return nil
}

func (k *kafka) start() (*process, error) {
	cmd := exec.Command(k.java, k.args("kafka.Kafka", k.folder.file("server.properties"))...)
	cmd.Dir = k.folder.path
	closeLog, err := logTo(cmd, k.log())
	if err != nil {
		return nil, err
	}
	defer closeLog()
	return startProcess(cmd, syscall.SIGKILL)
}

// ready waits for the line that Kafka prints once the broker is unfenced; its
// port accepts connections well before.
func (k *kafka) ready(_ *process, logOffset int64) bool {
	data, err := os.ReadFile(k.log())
	if err != nil {
		return false
	}
	return bytes.Contains(data[min(int(logOffset), len(data)):], []byte("] Kafka Server started"))
}

func (k *kafka) log() string { return k.folder.file("kafka.log") }

func (k *kafka) args(class string, args ...string) []string {
	jvm := cmp.Or(os.Getenv("PABAL_TEST_JVM"), k.jvm)
	// Without performance data the JVM leaves no file in the shared /tmp.
	all := append(strings.Fields(jvm), "-XX:-UsePerfData",
		"-Djava.io.tmpdir="+k.folder.file("tmp"),
		"-Dlog4j2.configurationFile="+k.folder.file("log4j2.properties"),
		"-cp", k.jars+string(os.PathSeparator)+"*", class)
	return append(all, args...)
}
