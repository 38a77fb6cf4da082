package testservers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// StartMongoDB starts a MongoDB in a temporary folder that Close removes, as a
// replica set of one node, which transactions and change streams need. arguments
// are further ones of the command line. ctx bounds the start only.
//
// It has no setting like fsync = off, so that the folder is one in memory where that
// is possible.
func StartMongoDB(ctx context.Context, arguments ...string) (*Server, error) {
	path, err := FindMongoDB()
	if err != nil {
		return nil, err
	}
	return startFirst(ctx, func() (*Server, error) {
		f, err := makeMemoryFolder("mongodb")
		if err != nil {
			return nil, fmt.Errorf("prepare a folder for MongoDB: %w", err)
		}
		m := &mongoDB{path: path, folder: f, arguments: arguments}
		s, err := m.server()
		if err != nil {
			_ = f.remove()
			return nil, err
		}
		return s, nil
	})
}

const replicaSet = "rs0"

type mongoDB struct {
	path      string
	folder    folder
	addr      string
	arguments []string
}

func (m *mongoDB) server() (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	m.addr = localAddr(port)
	m.arguments = append([]string{"--bind_ip", "127.0.0.1", "--port", strconv.Itoa(port), "--dbpath", m.folder.data(),
		"--replSet", replicaSet, "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket"}, m.arguments...)
	return &Server{
		Name: MongoDBName(m.path), Addr: m.addr, URL: "mongodb://" + m.addr + "/?replicaSet=" + replicaSet, LogFile: m.log(),
		folder:  m.folder,
		program: program{start: m.start, ready: m.ready, orderly: syscall.SIGTERM, quick: syscall.SIGKILL},
	}, os.MkdirAll(m.folder.data(), 0o700)
}

func (m *mongoDB) log() string { return m.folder.file("mongodb.log") }

func (m *mongoDB) start() (*process, error) {
	cmd := exec.Command(m.path, m.arguments...)
	cmd.Dir = m.folder.path
	closeLog, err := logTo(cmd, m.log())
	if err != nil {
		return nil, err
	}
	defer closeLog()
	return startProcess(cmd, syscall.SIGKILL)
}

// ready makes the replica set at the first start, and waits until the node is its
// primary.
func (m *mongoDB) ready(*process, int64) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	client, err := mongo.Connect(options.Client().ApplyURI("mongodb://" + m.addr + "/?directConnection=true").
		SetServerSelectionTimeout(time.Second))
	if err != nil {
		return false
	}
	defer func() { _ = client.Disconnect(ctx) }()
	var hello struct {
		IsWritablePrimary bool `bson:"isWritablePrimary"`
	}
	admin := client.Database("admin")
	if err := admin.RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&hello); err != nil {
		return false
	}
	if !hello.IsWritablePrimary {
		// Refused where it was done before: then the election is under way.
		_ = admin.RunCommand(ctx, bson.D{{Key: "replSetInitiate", Value: bson.D{
			{Key: "_id", Value: replicaSet},
			{Key: "members", Value: bson.A{bson.D{{Key: "_id", Value: 0}, {Key: "host", Value: m.addr}}}},
		}}}).Err()
	}
	return hello.IsWritablePrimary
}
