/*
 * Upstream's Java client, driven line by line: makes a topic, sends, reads everything, consumes.
 *
 *   java -cp 'peers/lib/5.4.0/*' peers/java/SendAndReceive.java COMMAND NAMESRV TOPIC ...     or compiled
 *
 *   topic   NAMESRV TOPIC QUEUES MASTER OTHER...   on the master; until every other broker has it too
 *   send    NAMESRV TOPIC RUN COUNT PAUSE_MS       messages 1..COUNT; ends early when stdin ends
 *   read    NAMESRV TOPIC                          every message of every queue, once through
 *   consume NAMESRV TOPIC GROUP                    as a push consumer, until stdin ends
 *
 * Output, one fact a line: "acked N MS", "failed N MS WHY", "read N SHA1", "received N SHA1 MS" and at
 * the end "done ...". MS is the wall clock. A message is acked when its status is SEND_OK, which a master with
 * allAckInSyncStateSet says when all of its SyncStateSet have it; until then the same one is sent again.
 */
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.rocketmq.client.ClientConfig;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.producer.SendStatus;
import org.apache.rocketmq.common.TopicConfig;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

@SuppressWarnings("deprecation")
public final class SendAndReceive {
    private static final int BODY_BYTES = 1024;
    private static final int SEND_TIMEOUT_MS = 2_000;
    private static final int ADMIN_TIMEOUT_MS = 10_000;
    private static final int RETRY_PAUSE_MS = 50;
    /** Of one message; then the run is given up. */
    private static final int ATTEMPTS_MAX = 1_200;
    private static final int WAIT_MS_MAX = 120_000;
    private static final int PULL_BATCH = 32;
    private static final int ROUTE_REFRESH_MS = 500;

    private static volatile boolean isStopping;
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] args) {
        if (args.length < 3) throw new IllegalArgumentException("usage: COMMAND NAMESRV TOPIC ...");
        try {
            run(args);
            System.exit(0);
        } catch (Throwable why) {
            // The client's threads would keep the process.
            System.err.println(why);
            System.exit(1);
        }
    }

    private static void run(String[] args) throws Exception {
        switch (args[0]) {
            case "topic" -> makeTopic(args);
            case "send" -> send(args);
            case "read" -> read(args);
            case "consume" -> consume(args);
            default -> throw new IllegalArgumentException("unknown command: " + args[0]);
        }
    }

    private static void makeTopic(String[] args) throws Exception {
        DefaultMQAdminExt admin = configured(new DefaultMQAdminExt(ADMIN_TIMEOUT_MS), args[1]);
        admin.start();
        int queues = Integer.parseInt(args[3]);
        TopicConfig topic = new TopicConfig(args[2], queues, queues);
        untilTrue(args[4] + " takes the topic", () -> {
            admin.createAndUpdateTopicConfig(args[4], topic);
            return true;
        });
        for (int at = 5; at < args.length; at++) {
            String broker = args[at];
            untilTrue(broker + " has the topic", () -> admin.examineTopicConfig(broker, args[2]) != null);
        }
        untilTrue("there is a route", () -> !admin.examineTopicRouteInfo(args[2]).getBrokerDatas().isEmpty());
        OUT.println("done");
    }

    /** What throws is tried again. */
    private static void untilTrue(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.currentTimeMillis() + WAIT_MS_MAX;
        for (;;) {
            Exception last = null;
            try {
                if (condition.call()) return;
            } catch (Exception notYet) {
                last = notYet;
            }
            if (System.currentTimeMillis() > deadline) throw new IllegalStateException("not in time: " + what, last);
            Thread.sleep(RETRY_PAUSE_MS);
        }
    }

    private static void send(String[] args) throws Exception {
        int count = Integer.parseInt(args[4]);
        int pauseMs = Integer.parseInt(args[5]);
        DefaultMQProducer producer = configured(new DefaultMQProducer("quorumark-producer"), args[1]);
        producer.setSendMsgTimeout(SEND_TIMEOUT_MS);
        // Every attempt shows as a line.
        producer.setRetryTimesWhenSendFailed(0);
        producer.start();
        stopAtEndOfInput();
        int acked = 0;
        for (int n = 1; n <= count && !isStopping; n++) {
            if (!sendUntilAcked(producer, new Message(args[2], bodyOf(args[3], n)), n)) break;
            acked++;
            if (pauseMs > 0) Thread.sleep(pauseMs);
        }
        OUT.println("done " + acked);
    }

    private static boolean sendUntilAcked(DefaultMQProducer producer, Message message, int n) throws Exception {
        for (int attempt = 0; attempt < ATTEMPTS_MAX && !isStopping; attempt++) {
            String why;
            try {
                SendResult result = producer.send(message);
                if (result.getSendStatus() == SendStatus.SEND_OK) {
                    OUT.println("acked " + n + " " + System.currentTimeMillis());
                    return true;
                }
                why = result.getSendStatus().name();
            } catch (Exception refused) {
                why = String.valueOf(refused.getMessage()).lines().findFirst().orElse("");
            }
            OUT.println("failed " + n + " " + System.currentTimeMillis() + " " + why);
            Thread.sleep(RETRY_PAUSE_MS);
        }
        return false;
    }

    private static void read(String[] args) throws Exception {
        DefaultMQPullConsumer consumer = configured(new DefaultMQPullConsumer("quorumark-reader"), args[1]);
        consumer.start();
        List<MessageQueue> queues = new ArrayList<>();
        untilTrue("the queues are known", () -> queues.addAll(consumer.fetchSubscribeMessageQueues(args[2])));
        int messages = 0;
        for (MessageQueue queue : queues) {
            long[] range = new long[2];
            untilTrue("the range is known of " + queue, () -> {
                range[0] = consumer.minOffset(queue);
                range[1] = consumer.maxOffset(queue);
                return true;
            });
            while (range[0] < range[1]) {
                List<MessageExt> batch = new ArrayList<>();
                untilTrue("what is at " + range[0] + " of " + queue, () -> {
                    PullResult found = consumer.pull(queue, "*", range[0], PULL_BATCH);
                    range[0] = found.getNextBeginOffset();
                    return found.getMsgFoundList() != null && batch.addAll(found.getMsgFoundList());
                });
                for (MessageExt message : batch) OUT.println("read " + describe(message));
                messages += batch.size();
            }
        }
        OUT.println("done " + messages);
    }

    private static void consume(String[] args) throws Exception {
        DefaultMQPushConsumer[] started = new DefaultMQPushConsumer[1];
        // One whose start failed cannot be started again.
        untilTrue("the consumer starts", () -> {
            DefaultMQPushConsumer consumer = configured(new DefaultMQPushConsumer(args[3]), args[1]);
            consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
            consumer.subscribe(args[2], "*");
            consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
                for (MessageExt message : messages) {
                    OUT.println("received " + describe(message) + " " + System.currentTimeMillis());
                }
                return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
            });
            try {
                consumer.start();
            } catch (Exception busy) {
                consumer.shutdown();
                throw busy;
            }
            started[0] = consumer;
            return true;
        });
        OUT.println("started");
        stopAtEndOfInput();
        while (!isStopping) Thread.sleep(RETRY_PAUSE_MS);
        started[0].shutdown();
        OUT.println("done");
    }

    private static <C extends ClientConfig> C configured(C client, String namesrv) {
        client.setNamesrvAddr(namesrv);
        client.setInstanceName("quorumark-" + ProcessHandle.current().pid());
        client.setPollNameServerInterval(ROUTE_REFRESH_MS);
        client.setHeartbeatBrokerInterval(1_000);
        return client;
    }

    /** "RUN:N:" and then a pattern, 1 KiB in all, so that a message cut short or mixed up shows. */
    private static byte[] bodyOf(String run, int n) {
        StringBuilder body = new StringBuilder(run + ":" + n + ":");
        while (body.length() < BODY_BYTES) body.append((char) ('a' + (body.length() + n) % 26));
        return body.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static String describe(MessageExt message) {
        try {
            byte[] body = message.getBody();
            String[] parts = new String(body, StandardCharsets.UTF_8).split(":", 3);
            return parts[1] + " " + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-1").digest(body));
        } catch (Exception foreign) {
            return "0 " + foreign;
        }
    }

    private static void stopAtEndOfInput() {
        Thread waiting = new Thread(() -> {
            try {
                while (System.in.read() >= 0) { }
            } catch (IOException closed) {
                // As good as the end.
            }
            isStopping = true;
        });
        waiting.setDaemon(true);
        waiting.start();
    }

    private SendAndReceive() { }
}
