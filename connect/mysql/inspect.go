package mysql

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/pabal-dev/pabal/connect/config"
	"github.com/pabal-dev/pabal/connect/plugin"
)

var (
	_ plugin.LogInspector = MariaDB{}
	_ plugin.LogInspector = MySQL{}
)

// InspectLog finds the server's binary logs, and where the connector is in them.
func (MariaDB) InspectLog(ctx context.Context, cfg config.Values, offset map[string]any) (plugin.Inspection, error) {
	return mariadb.inspect(ctx, cfg, offset)
}

// InspectLog finds the server's binary logs, and where the connector is in them.
func (MySQL) InspectLog(ctx context.Context, cfg config.Values, offset map[string]any) (plugin.Inspection, error) {
	return mysql.inspect(ctx, cfg, offset)
}

func (f flavor) inspect(ctx context.Context, cfg config.Values, offset map[string]any) (plugin.Inspection, error) {
	out := plugin.Inspection{
		Server: net.JoinHostPort(cfg.String("database.hostname"), strconv.FormatInt(cfg.Int("database.port"), 10)), Slots: []plugin.Slot{},
	}
	at, err := positionOf(f, nil, offset)
	if err != nil {
		return out, err
	}
	db, err := connect(ctx, f, cfg)
	if err != nil {
		return out, err
	}
	defer func() { db.close() }()
	rows, err := db.rows("SHOW BINARY LOGS")
	if err != nil {
		return out, fmt.Errorf("list the binary logs, which needs BINLOG MONITOR, or REPLICATION CLIENT on MySQL: %w", cause(err))
	}
	var files []logFile
	for _, row := range rows {
		size, _ := strconv.ParseInt(textOf(row[1]), 10, 64) // a number by the server's documentation
		files = append(files, logFile{textOf(row[0]), size})
	}
	out.Log = logOf(files, at, expiry(db), time.Now())
	return out, nil
}

// logFile is one of the server's.
type logFile struct {
	name string
	size int64
}

// expiry is how long the server keeps its binary logs, in seconds; 0 is without end.
func expiry(db *database) int64 {
	for _, variable := range []struct {
		name string
		unit float64 // in seconds
	}{{"binlog_expire_logs_seconds", 1}, {"expire_logs_days", 24 * 60 * 60}} {
		rows, err := db.rows("SHOW GLOBAL VARIABLES LIKE '" + variable.name + "'")
		if err != nil || len(rows) == 0 {
			continue
		}
		if n, err := strconv.ParseFloat(textOf(rows[0][1]), 64); err == nil && n > 0 {
			return int64(n * variable.unit)
		}
	}
	return 0
}

// logOf the files where a connector is at a position; nil is none. A file goes once it was not
// written to for as long as the server keeps it: it is about to when the position, which is not
// later, is nearly as old. The last file stays.
func logOf(files []logFile, at *position, kept int64, now time.Time) *plugin.Log {
	log := &plugin.Log{Kind: "binary log", BehindSeconds: -1, BehindFiles: -1, BehindBytes: -1, KeptSeconds: kept}
	if len(files) == 0 {
		return log
	}
	log.First, log.Last = files[0].name, files[len(files)-1].name
	if at == nil || at.file == "" {
		return log
	}
	log.Next = at.file
	i := slices.IndexFunc(files, func(f logFile) bool { return f.name == at.file })
	if i < 0 {
		log.State = plugin.LogLost
		return log
	}
	log.State, log.BehindFiles, log.BehindBytes = plugin.LogKept, len(files)-1-i, -int64(at.pos)
	for _, f := range files[i:] {
		log.BehindBytes += f.size
	}
	if log.BehindBytes = max(log.BehindBytes, 0); at.seconds == 0 {
		return log
	}
	log.BehindSeconds = max(now.Unix()-at.seconds, 0)
	const near = 0.8
	if log.BehindFiles == 0 && log.BehindBytes == 0 {
		log.BehindSeconds = 0
	} else if log.BehindFiles > 0 && kept > 0 && float64(log.BehindSeconds) > near*float64(kept) {
		log.State = plugin.LogExpiring
	}
	return log
}
