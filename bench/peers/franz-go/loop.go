package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const commitInterval = 100 * time.Millisecond

// A loop reads one topic and writes another; transform gives the output for one record, or nil.
type loop struct {
	group, input, output string
	transform            func(*kgo.Record) *kgo.Record
}

func open(s spec, l loop) (*kgo.GroupTransactSession, error) {
	return kgo.NewGroupTransactSession(
		brokers(s),
		kgo.TransactionalID(l.group),
		kgo.ConsumerGroup(l.group),
		kgo.ConsumeTopics(l.input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.DefaultProduceTopic(l.output),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	)
}

// run commits every 100 ms what was read since: results and offsets in one transaction.
func (l loop) run(ctx context.Context, session *kgo.GroupTransactSession) error {
	var failed error
	var once sync.Once
	promise := func(_ *kgo.Record, err error) {
		if err != nil {
			once.Do(func() { failed = err })
		}
	}
	for ctx.Err() == nil {
		if err := session.Begin(); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
		until, cancel := context.WithTimeout(ctx, commitInterval)
		for until.Err() == nil {
			fetches := session.PollFetches(until)
			for _, e := range fetches.Errors() {
				if !errors.Is(e.Err, context.DeadlineExceeded) && !errors.Is(e.Err, context.Canceled) {
					cancel()
					return fmt.Errorf("fetch: %w", e.Err)
				}
			}
			fetches.EachRecord(func(r *kgo.Record) {
				if out := l.transform(r); out != nil {
					session.Produce(context.Background(), out, promise)
				}
			})
		}
		cancel()
		committed, err := session.End(context.Background(), kgo.TryCommit)
		if err == nil && failed != nil {
			err = failed
		}
		if err != nil {
			return fmt.Errorf("commit: %w", err)
		}
		// What is in the map cannot be taken back: a loop without a changelog has to give up here.
		if !committed {
			return errors.New("a transaction was not committed")
		}
	}
	return nil
}
