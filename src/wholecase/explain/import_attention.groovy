// Puts attention/<image name>.geojson on every image of this project, in the place of what an
// earlier import left. Run it once: Automate > Project scripts > import_attention, then Run > Run.
import qupath.lib.io.PathIO
import qupath.lib.scripting.QP

def project = QP.getProject()
if (project == null) {
    println 'Open project.qpproj first.'
    return
}
def folder = new File(project.getPath().toFile().getParentFile(), 'attention')
def current = QP.getProjectEntry()
for (entry in project.getImageList()) {
    def name = entry.getOriginalImageName()
    def file = new File(folder, name + '.geojson')
    if (!file.isFile()) {
        println "${name}: there is no ${file}"
        continue
    }
    // the image that is open is changed where it is shown
    def isOpen = current != null && current.getID() == entry.getID()
    def imageData = isOpen ? QP.getCurrentImageData() : entry.readImageData()
    def hierarchy = imageData.getHierarchy()
    def old = hierarchy.getDetectionObjects().findAll { it.getPathClass()?.getName() == 'attention' }
    hierarchy.removeObjects(old, true)
    def tiles = PathIO.readObjects(file)
    hierarchy.addObjects(tiles)
    entry.saveImageData(imageData)
    if (!isOpen) {
        imageData.getServer().close()
    }
    println "${name}: ${tiles.size()} tiles"
}
