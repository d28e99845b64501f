package pinwheel;

import io.delta.storage.HadoopFileSystemLogStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.CopyOption;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.OpenOption;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Iterator;
import java.util.UUID;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;

/**
 * Delta's log on a local disk or S3, where a commit never replaces one of another process.
 *
 * Delta's own stores ask whether the version exists and then write it: they exclude writers of one JVM only. The
 * stream commits every few seconds from another process (delta-rs, put-if-absent), and would lose a commit in between.
 *
 * Java as Janino compiles it: no lambdas, raw generics. See spark_jobs/log_store.py.
 */
public class PutIfAbsentLogStore extends HadoopFileSystemLogStore {
    public PutIfAbsentLogStore(Configuration conf) {
        super(conf);
    }

    public void write(Path path, Iterator actions, Boolean overwrite, Configuration conf) throws IOException {
        byte[] lines = lines(actions);
        FileSystem system = path.getFileSystem(conf);
        if ("file".equals(system.getUri().getScheme())) {
            link(java.nio.file.Paths.get(system.makeQualified(path).toUri()), lines, overwrite.booleanValue());
        } else {
            put(system, path, lines, overwrite.booleanValue());
        }
    }

    /** A commit is written whole or not at all: no reader sees a part of it. */
    public Boolean isPartialWriteVisible(Path path, Configuration conf) {
        return Boolean.FALSE;
    }

    private static byte[] lines(Iterator actions) throws IOException {
        ByteArrayOutputStream lines = new ByteArrayOutputStream();
        while (actions.hasNext()) {
            lines.write((((String) actions.next()) + "\n").getBytes(StandardCharsets.UTF_8));
        }
        return lines.toByteArray();
    }

    /** A hard link is made whole or refused; a rename would replace what is there. */
    private static void link(java.nio.file.Path target, byte[] lines, boolean overwrite) throws IOException {
        java.nio.file.Path written = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID());
        try {
            Files.write(written, lines, new OpenOption[] {StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE});
            if (overwrite) {
                Files.move(written, target, new CopyOption[] {StandardCopyOption.ATOMIC_MOVE});
            } else {
                Files.createLink(target, written);
            }
        } finally {
            Files.deleteIfExists(written);
        }
    }

    /** If-None-Match: the store refuses the second writer. Other file systems than S3A refuse the option. */
    private static void put(FileSystem system, Path path, byte[] lines, boolean overwrite) throws IOException {
        try {
            FSDataOutputStream out = overwrite
                ? system.create(path, true)
                : (FSDataOutputStream) system.createFile(path).must("fs.option.create.conditional.overwrite", true).build();
            try {
                out.write(lines);
            } catch (IOException error) {
                out.abort(); // close() would put a part
                throw error;
            }
            out.close();
        } catch (IOException error) {
            if (overwrite || !system.exists(path)) {
                throw error;
            }
            // Also when it was ours and the answer was lost: Delta then finds the conflict, and the next run measures.
            FileAlreadyExistsException exists = new FileAlreadyExistsException(path.toString());
            exists.initCause(error);
            throw exists;
        }
    }
}
