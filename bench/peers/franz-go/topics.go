package main

import (
	"context"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const partitions = 4

func createTopic(ctx context.Context, s spec, name string) error {
	client, err := kgo.NewClient(brokers(s))
	if err != nil {
		return err
	}
	defer client.Close()
	never := "-1"
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic = name
	topic.NumPartitions = partitions
	topic.ReplicationFactor = 1
	topic.Configs = []kmsg.CreateTopicsRequestTopicConfig{{Name: "retention.ms", Value: &never}}
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = 30_000
	request.Topics = []kmsg.CreateTopicsRequestTopic{topic}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(response.Topics[0].ErrorCode)
}

// loadTable reads the whole table topic into a map before anything else.
func loadTable(ctx context.Context, s spec) (map[string]account, error) {
	client, err := kgo.NewClient(brokers(s), kgo.ConsumeTopics(s["table"]), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	rows := map[string]account{}
	ends := map[int32]int64{}
	for open := partitions; open > 0; {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachPartition(func(p kgo.FetchTopicPartition) {
			for _, r := range p.Records {
				rows[string(r.Key)] = parse[account](r.Value)
				if r.Offset+1 == p.HighWatermark && ends[p.Partition] == 0 {
					ends[p.Partition] = p.HighWatermark
					open--
				}
			}
		})
	}
	return rows, nil
}
