package mysql

import (
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	driver "github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

// syncer hands the events of the log to a stream.
func (r *run) syncer(s *stream) (*replication.BinlogSyncer, error) {
	encrypted, fallback, err := encryption(r.options.flavor, r.values)
	if err != nil {
		return nil, err
	}
	if fallback && !r.db.HasCapability(driver.CLIENT_SSL) {
		encrypted = nil
	}
	silence := max(r.options.silence, time.Second)
	return replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: r.options.server, Flavor: driverFlavor[r.options.flavor], Host: r.values.String("database.hostname"),
		Port: uint16(r.values.Int("database.port")), User: r.values.String("database.user"), Password: r.values.String("database.password"),
		TLSConfig: encrypted, Logger: r.log, Charset: "utf8mb4",
		HeartbeatPeriod: silence / 4, ReadTimeout: silence, DisableRetrySync: true,
		TimestampStringLocation: time.UTC, DiscardGTIDSet: true, EventCacheCount: 1,
		FillZeroLogPos: r.options.flavor == mariadb,
		Option: func(c *client.Conn) error {
			_, err := c.Execute(patient)
			return err
		},
		SynchronousEventHandler: s, RowsEventDecodeFunc: s.decode,
	}), nil
}
